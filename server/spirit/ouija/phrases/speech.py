"""The turns of English speech that tell what was asked.

A row is tried on folded text from which the call to the spirit was taken; the first that matches names the kind, so
order counts. A row that begins with a bar continues the one before it; AUX stands for the auxiliary verbs.
"""

# ruff: noqa: RUF001 - people type such signs and quotes

from typing import Final

AUXILIARIES: Final = (
    "is|are|am|was|were|do|does|did|will|would|can|could|should|shall|has|have|had|may|might|must|isn't|aren't|won't"
    "|don't|doesn't|didn't|can't|couldn't|shouldn't|wouldn't|wasn't|weren't|hasn't|haven't"
)

SPEECH: Final = r"""
    despair: \b(kill(ing)? myself|suicid\w*|end my life|want to die|wanna die|hurt(ing)? myself|harm(ing)? myself
        |don't want to live|no reason to live)\b
    farewell: \b(good ?-?bye|bye(-| )?bye|farewell|good ?night|see (you|ya)\b(?!.*\?)|so long|close the board|(end
        |close) (this|the) (s[eé]ance|session)|(we|i)('re| are|'m| am| must| have to| need to
        |'ve got to) (leav\w+|go(ing)?( home| to bed| now)?\W*$|off\b))
    farewell: ^(bye|cya|ciao|adieu)\b
    farewell: ^time to go\b
    insult: \b(you|you're|this|spirit|ghost|that)\b.*\b(stupid|idiot\w*|dumb|suck\w*|moron\w*|pathetic|useless
        |boring|ugly|rubbish|lame|worthless|liar|lying|annoying)\b(?!.*\?)
    insult: \b(shut up|fuck (you|off)|screw you|piss off|go to hell|hate you)\b
    insult: ^(you )?(stupid|idiot|moron|liar|boring|lame|rubbish)\b.{0,12}$
    doubt: ^\w+( is|'s| are|'re) (\w+ )?(pushing|moving) (it|this|the)\b
    doubt: \b(fake|fraud\w*|charlatan|hoax|chatgpt|not real|isn't real|aren't real|an? (ai|bot|robot|machine|computer
        |program|script|trick))\b
    doubt: ^are you real\b
    doubt: \b(who is|who's|you're|are you|someone is|you are) (pushing|moving) (it|this|the)\b
    doubt: \bdon't believe\b
    doubt: \bprove (it|you)\b
    loss: \b(my|our) ([^\W\d_]+ ){1,4}(has |have |just |was |is )?(died|passed (away|on)|dead|buried)\b(?!.*\?)
    loss: \b(i|we) (have |just |have just )?lost (my|our) (mother|mum|mom|father|dad|gran\w*|nan|wife|husband|son
        |daughter|brother|sister|friend|partner|aunt|uncle|dog|cat|baby|child)\b(?!.*\?)
    apology: \b(sorry|apologi[sz]e|forgive (me|us)|my bad|pardon (me|us))\b(?=[^?]*$)
    thanks: \b(thanks|thank you|thank ya|thx|cheers|grateful|you're (kind|nice|sweet|great|wonderful))\b
    laughter: ^\W*(?:a?haha|hehe|hihi|lo+l+|lmao|rofl)[\Waehilmofr]*$
    laughter: ^a?ha+\W*$
    fear: \b(scared|afraid|frighten\w*|creep(y|ed|s)|terrif\w+|spooky|goosebumps|chills|shiver\w*)\b(?!.*\?)
    presence: \b(any ?(body|one)|some(body|one)|any spirits?|a spirit|a ghost) (there|here|with us|present|around
        |listening)\b
    presence: \bare you (still )?(there|here|with us|listening|awake|present)\b
    presence: \b(can|do) you (hear|see|feel) (me|us)\b
    greeting: ^(hello|hi+|hey+|hiya|hallo|greetings|welcome|yo|howdy|good (evening|morning|afternoon|day))\b[^?]{0,24}$
    greeting: ^(hello|hi+|hey+|hallo|good (evening|morning|afternoon|day))\W*$
    own_name: \bwho('s| is| goes) (there|this|that|here|speaking)\W*$
    own_name: \b(what('s| is| was) your (real |first |last |full )?name|who (are|were) you|what (are
        |were) you called|(tell|give|spell) (me |us )?your name|what (do|should|can) (we|i) call you|your name\?)
    their_name: \b(what('s| is) my name|who am i|do you (know|remember) (me|my name|who i am)|(say|spell
        |know) my name)\b
    name_of: \b(my|our|her|his|their) (?P<whose>[^\W\d_]+)(?:'s|s') name\b(?=.*\?|$)
    name_of: \bwhat (my|our|her|his|their) (?P<whose>[^\W\d_]+) (is|was) (called|named)\b
    name_of: \bwhat('s| is| was) (my|our|her|his|their) (?P<whose>[^\W\d_]+) (called|named)\b
    name_told: \b(my name('s| is)|(please )?call me|i am called|i'm called|they call me) (?P<name>[^\W\d_][\w'-]+)
    own_killer: \bwho (killed|murdered|hurt|buried|poisoned|betrayed) you\b
    own_killer: \b(were|was) you (killed|murdered)\b
    own_year: \b(when|what year|which year|how long ago) (did|were|was|have) you (die|dead|born|been dead|live
        |alive|pass)\w*
    own_year: \bhow long have you been (dead|gone|here)\b
    own_year: \bwhat (year|century) (are|were) you\b
    own_death: \b(how|why|where|what)\b.*\byou\b.*\b(die|died|dead|killed|death|pass(ed)? away
        |happen(ed)?( to you)?)\b
    own_death: \bwhat happened to you\b
    own_death: \byour death\b
    own_death: \bwhat killed you\b
    own_age: \bhow old (are|were) you\b
    own_age: \bwhat('s| is| was) your age\b
    own_age: \byour age\?
    own_place: ^(and |but |so )?where are you\W*$
    own_place: \bwhere (are|do|did|were) you (from|live|lived|born|buried|now|come from|grow up|hid\w*)?\??$
    own_place: \bwhere (are|do|did|were) you (from|live|born|buried|come|grow|now|standing|sitting|hid\w*)\b
    own_place: \bwhere is your (grave|body|home|house)\b
    own_trade: \bwhat (did|do) you do\b
    own_trade: \bwhat (was|were|is) your (job|work|trade|profession|living)\b
    own_trade: \bdid you (work|have a job)\b
    own_wish: \bwhat (do|did) you (want|need|seek|wish|desire|miss|look for)\b
    own_wish: \bwhy (are|do|did) you (here|come|stay|haunt|speak)\w*
    own_wish: \bwhat can (we|i) do for you\b
    own_wish: \bhow can (we|i) help( you)?\b
    own_wish: \bunfinished business\b
    own_kin: \b(did|have|had) you (have |had |got |love |ever love |marry |get married|ever marry|have any )
    own_kin: \bwho did you love\b
    own_kin: \byour (wife|husband|mother|father|family|children|child|brother|sister|lover|friends?)\b
    own_kin: \bwere you (ever )?(married|loved|in love)\b
    own_feeling: \bhow (are|do) you( feel\w*| doing)?( today| tonight)?\??$
    own_feeling: \bhow's it going\b
    own_feeling: \bare you (ok|okay|well|happy|sad|cold|lonely|alone|tired|angry|mad|hungry|bored|scared|afraid
        |at peace|in pain|trapped)\b
    own_nature: \b(are|were) you (still |really )?(an? |the )?(man|woman|girl|boy|child|demon|ghost|devil|angel
        |evil|good|human|male|female|alive|dead|kind|friendly|dangerous|bad|spirit|witch|monster|vampire|friend
        |nice|here to (hurt|harm))\b
    own_nature: \bwhat are you\b
    own_nature: \bman or (a )?woman\b
    others: \b(more|others?|many|any) (of you|spirits|ghosts|like you)\b
    others: \bwho('s| is) (there )?with you\b
    others: \bare you (all )?alone there\b
    their_end: \b(when|how|where|will|do|am|are) (i|we|[^\W\d_]+) (going to |gonna |will )?(die|be dead|be killed
        |perish)\b
    their_end: \bwhen (will|do) \w+ die\b
    story: \b(story|tale|your (past|life)|about yourself|tell (me|us) more|go on|what (then|next|happened (then
        |next))|and then)\b
    secret: \b(secret|something (nobody|no one|we don't) knows?|hidden|confess)\b
    joke: \b(joke|funny|make (me|us) laugh|riddle)\b
    poem: \b(poem|rhyme|verses?|haiku|sing|(a|another|your) song)\b(?!.*\bsang\b)
    coin: \b(flip|toss)( a| the)? coin\b
    coin: \bheads or tails\b
    die: \broll( a| the| me a)? ?(die|dice|d(?P<sides>\d{1,4}))\b
    between: \b(?:between|from) (?P<low>\d{1,9}) (?:and|to|&|-) (?P<high>\d{1,9})\b
    sum: (?<![\w.])(?P<left>\d{1,6}) ?(?P<sign>[+*x×−-]|plus|minus|times) ?(?P<right>\d{1,6})(?![\w.])
    number: \b(pick|choose|give|say|name|tell|what|which|lucky|think of)\b.*\bnumbers?\b
    count: \bcount (?P<down>down )?(?:(?:up )?(?:to|from) )?(?P<to>\d{1,4}|with|for|down|up)
    spell: \bspell (?:out |the word |the name )?[\"'“‘]?(?P<word>[^\W\d_]{2,24})
    letter: \b(pick|choose|give|say|name|what|which|first|a) (me |us )?(a |the |one )?(letter|initials?)\b
    colour: \b(what|which|what's)\b.*\bcolou?r\b
    colour: \b(pick|name|choose|tell me) a colou?r\b
    hour: \bwhat time\b
    hour: \bwhat('s| is) the (time|hour|date|day)\b
    sign: \b(a sign|show yourself|knock|move (something|the|it)|make (a|some) (noise|sound)|appear|flicker
        |prove yourself|ring (the|a) bell|tap|touch (me|us)|boo)\b(?=[^?]*$)
    sign: \b(give|show|send) (me|us) a sign\b
    sign: \b(can|could|will|would) you (knock|move|appear|show yourself|touch|tap)\b
    advice: \b(what (should|shall|must|can) (i|we)|should (i|we) do|any advice|advise|help (me|us)|warn(ing)?)\b
    either: \b(?P<first>[\w']{1,24}),? or (?!not\b|what\b|something\b)(?:[\w']+ ){0,4}(?P<second>[\w']{1,24})\W*$
    how_many: \bhow (many|much|old|tall|far|often|big|high|heavy)\b
    how_many: ^what age\b
    how_long: \bhow (long|soon)\b
    when: ^(and |but |so )?when\b
    when: \bwhat (day|year|month|date)\b
    when: \bwhen\b.*\?$
    where: ^(and |but |so )?where\b
    where: \bwhere\b.*\?$
    who: ^(and |but |so )?(to |with |for |of |from |by |about )?(who|whose|whom|which (one )?of us|which person)\b
    who: \bwho\b.*\?$
    why: ^(and |but |so )?(why|how come|what for)\b
    why: \bwhy\b.*\?$
    order: ^(please )?don't (?!you\b|we\b|i\b|they\b|he\b|she\b)(?!.*\?)
    yes_no: ^(and |but |so |then |ok |well )?(?:AUX)\b
    how: ^(and |but |so )?how\b
    what: ^(and |but |so )?(what|which|what's)\b
    what: \b(what|which)\b.*\?$
    yes_no: \?\s*$
    denial: ^(i|we)('m| am|'re| are| did| do| was| were| didn't| don't| wasn't)( not|n't)?\W*$
    denial: ^(i|we) (am not|'m not|did not|didn't)\b.{0,20}$
    denial: ^(no+|nope|nah|never|wrong|not true|impossible|false|i disagree)\b
    agreement: ^(yes+|yeah+|yep|yup|ok(ay)?|sure|true|right|exactly|indeed|correct|of course|i agree|fine|amen
        |wow|cool|nice|great)\b
    feeling: \b(i|we)('m| am|'re| are| feel| feels| felt| miss| love| hate| wish| hope| want| need| dream\w*)\b
    what: ^(please )?tell (me|us) (about|of)\b
    order: ^(please )?(tell|say|speak|come|go|leave|stop|listen|look|wait|answer|talk|stay|wake|find|bring|take
        |let|open|close|turn|write|do|don't|be|play)\b
"""
