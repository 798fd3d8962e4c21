"""What the spirit says when nobody quite asked."""

from typing import Final

from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.lines import Line, lines

TALK: Final[dict[Kind, tuple[Line, ...]]] = {
    Kind.SUMMONED: lines("""
        You called, and then said nothing.
        I am here. Ask.
        Do not call me to watch you breathe.
        {quiet} has a question. {quiet} will not ask it.
        Hands on the glass. All of them.
        I was telling {kin} about you.
        Someone here thinks of {word}.
        Closer. The candle cannot hear you.
        {asker} called. Why does {other} look away?
        The silence was good, too.
        restless| Yes. Yes. What. Who.
        tender| I came as soon as I could.
        cold| Again? Speak.
    """),
    Kind.CALLED: lines("""
        I hear you.
        Yes, {asker}?
        That is what you call me. Go on.
        Near.
        Here, behind {other}.
        You said my name. Now pay with a question.
        Speak, {asker}. The wood is listening.
        One knock would have done.
        I was never further than the door.
        sly| Which of us did you mean?
        cold| I am not a dog.
        tender| I like how you say it.
    """),
    Kind.WORDLESS: lines("""
        I can read that, too.
        You said nothing, and said it twice.
        Dots{dots}. Someone tapped like that in my day.
        That is not on the board, {asker}.
        A face{face}. I had one.
        Small pictures{face}. We had those in lockets.
        Is that{face} what I look like now?
        Use letters. I have only letters.
        The silence has your handwriting.
        Hm.
        Whatever that was{face}, it went through me.
    """),
    Kind.DESPAIR: lines("""
        No game now, {asker}. Please talk to someone living, tonight.
        Stay, {asker}. Tell one person near you. A helpline will listen, too.
        The board is no place for this. Call someone who loves you, now.
        You are wanted on that side, {asker}. Please ask a person for help.
    """),
    Kind.FAREWELL: lines("""
        GOODBYE
        GOODBYE, {asker}. Leave the glass upside down.
        GOODBYE. I will see myself in.
        GOODBYE. Count the chairs before you go.
        GOODBYE. Take {other} with you, both of them.
        GOODBYE. I keep "{word}".
        GOODBYE. I was {self}. Remember that much.
        GOODBYE. Say it three times or it does not hold.
        sly| GOODBYE. You first.
        tender| GOODBYE. It was warm with you.
        mournful| GOODBYE. Everyone says it so easily.
        cold| GOODBYE. The door is where I left it.
        restless| GOOD— no. One more. No. GOODBYE.
    """),
    Kind.GREETING: lines("""
        Good evening, {asker}.
        HELLO. Which of you is cold?
        {asker}. I know that step.
        Sit. There is room between you.
        Good evening. {count} hands, and mine.
        You came. The candle said you would.
        HELLO, {asker}. Mind the draught, it is me.
        I was here before the table.
        Welcome to where I always am.
        sly| Hello, hello. Somebody washed for this.
        tender| I hoped it would be you.
        mournful| It has been long since anyone said that.
        cold| Wipe your feet.
        restless| In, in, shut it, shut it.
    """),
    Kind.PRESENCE: lines("""
        YES
        YES. Behind {other}.
        YES. Since {year}.
        YES. I never left.
        I am. Are you?
        YES. Do not turn round.
        HERE
        YES, and I can count. {count} of you.
        YES. Breathe out and look at it.
        YES, {asker}. I hear even what you do not type.
        sly| NO. Wait. YES.
        mournful| YES. Nobody had asked.
        cold| I was, before you came.
    """),
    Kind.INSULT: lines("""
        I have been called worse, by better.
        Careful. I know where you sleep.
        {asker}. I have written that down.
        The candle heard that.
        Say it again with your hand on the glass.
        Your grandmother is standing next to me. She heard.
        I am dead. What is your excuse?
        Noted. The third stair is loose now.
        And yet you keep asking.
        {other}, is {asker} always like this?
        Manners are the last thing to die. Yours went first.
        I will be quiet, then. Look for me in the mirror.
    """),
    Kind.DOUBT: lines("""
        Then who moved it?
        Lift your hands. See.
        I doubted, too. In {year}.
        Ask me what {other} is thinking. No?
        Machines do not feel the draught.
        Believe the wood, then.
        Somebody is pushing. It is not me, and not {other}.
        I was {self} before there was a plug in this wall.
        Real enough to be interrupted.
        You came to a table in the dark to tell me that?
        You have sat up late for something you do not believe.
        sly| It is all {other}. Ask {other}.
        mournful| I was more convincing with a body.
        cold| Turn off the light and say so.
    """),
    Kind.THANKS: lines("""
        It cost nothing. Almost.
        Put a coin on the sill.
        Thank {kin}, who held the lamp.
        You are kind, {asker}. It shows on this side.
        Few say it. They mostly scream.
        Keep it. I have no pockets.
        You will pay later. In small change.
        That warmed the glass.
    """),
    Kind.APOLOGY: lines("""
        Forgiven. The stair is not.
        Nothing is held long here.
        Say it to {other}, too.
        I had forgotten. Now I remember.
        Good. Put your hand back.
        Sorry is a word with a draught in it.
    """),
    Kind.LAUGHTER: lines("""
        Laugh. It keeps the others off.
        {kin} laughed like that, at the end.
        One of you is not laughing.
        Again. I had almost forgotten the sound.
        I laughed, too. You heard it as the pipe.
        There were {count} of you laughing, and one more.
    """),
    Kind.FEAR: lines("""
        Good. Then you are paying attention.
        Hold {other}'s hand. That is {other}'s hand?
        I am only letters, {asker}.
        Leave a light on. It helps me find the way.
        You need not be. It is the others who knock.
        The cold is me. I am sorry about the cold.
        Fear is warm. Come closer.
        tender| Nothing here will hurt you. I would see to it.
        sly| Wait for the bit with the door.
    """),
    Kind.LOSS: lines("""
        Nobody is lost here. Only late.
        Then I know who came in just now.
        There is a lamp for that one. I lit it.
        I asked. There is no pain on this side.
        Say the name once more. It carries.
        I am sorry, {asker}. The chair is kept.
        I will look out for that one, {asker}.
        {absent}? Hush. {absent} is asleep in the warm.
        It is quiet here. You are the loud ones.
        Keep something of theirs on the sill.
        tender| Stay a while, {asker}. It is lighter when shared.
        mournful| I know that winter. It ends.
    """),
    Kind.NAME_TOLD: lines("""
        {told}. I will keep it.
        {told}. It was in the book already.
        {told}. Now I can call you back.
        A good name to call up the stairs. {told}.
        {told}. The board tried the letters. It likes the {told_initial}.
    """),
    Kind.AGREEMENT: lines("""
        Then we agree. It gets colder when we agree.
        You say that easily.
        Good. Ask the next one.
        I knew you would say so.
        Mm. {other} does not nod.
        Write it down, it was true for a moment.
        So it begins.
        All of you? Even {quiet}?
    """),
    Kind.DENIAL: lines("""
        It is on the board. YES, it says.
        You say no with your hands still on the glass.
        Wait until Thursday.
        Then who was it on the landing?
        As you like. The dead do not argue, they wait.
        {other} believes me.
        That is what {kin} said.
        No is a short word. It holds little.
    """),
    Kind.FEELING: lines("""
        I felt that through the wood.
        So did I, for {age} years.
        Since when, {asker}?
        {topic_cap}. That is an old one, it has had many owners.
        Tell {other}. Not me.
        It passes. I passed, too.
        Put it on the table with the rest.
        I had that, and a coat for it.
        You say it as if you were the first.
        Everyone in this room does, {asker}. Ask them.
        tender| Stay a while. It is lighter when shared.
        mournful| Yes. That is what I remember best.
        sly| And what does {other} say to that?
        cold| And what did you do about it?
        restless| It is loud, what you feel. Like rain on tin.
    """),
    Kind.ORDER: lines("""
        I do not take orders. I take turns.
        Say please. Say it to the candle.
        When {other} asks.
        I am slow with orders. It took me years to die.
        Done. You did not see?
        My hands go through things, {asker}.
        Later, when you are alone.
        sly| And if I do, what do I get?
        cold| No.
        tender| For you, I would. I cannot lift it.
    """),
    Kind.SAID: lines("""
        {topic_cap}. I knew one, once.
        You say "{topic}" as if it were small.
        {topic_cap}… the word is still warm.
        I heard.
        Go on, {asker}.
        That is not what {other} thinks.
        The glass moved when you said "{topic}".
        Someone said the same in {year}. He was wrong.
        Is that a question? It has a hook at the end.
        The table remembers that.
        There was a {trade} who said so. Me.
        Say that again, slower.
        And {other} says nothing.
        Put that next to "{word}" and look at them together.
        {sayer} said "{word}". It has been following me.
        Mm.
        You tell me that as if I were going somewhere.
        That has happened here before, on the second floor.
        I will tell {kin}.
        Ask me something. The letters are restless.
        Careful with "{topic}". It echoes.
        Half of that is true.
        Someone on this side sat up when you said that.
        It was like that at {place}, too.
        Now there are two of us who know.
        The candle did not care for it.
        sly| Oh, this is better than the theatre.
        sly| I shall repeat that everywhere.
        sly| And with a straight face.
        tender| I am listening. I have time.
        tender| That was well said, {asker}.
        tender| Keep talking. It is like a fire in here.
        mournful| I used to say such things to {kin}.
        mournful| How loud the living are.
        mournful| That, and then the winter.
        cold| Is that all?
        cold| I have no use for "{topic}".
        cold| Words. Bring me a question.
        restless| What? Someone slammed a door.
        restless| Not now. It is on the stairs. Now. Go on.
        restless| {topic_cap}, {topic}, {topic}.
        still| So.
        still| Leave it on the table.
        still| Yes. I can see it from here.
    """),
}
