"""What the spirit answers to questions that yes and no do not settle."""

from typing import Final

from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.lines import Line, choices, lines

ASKED: Final[dict[Kind, tuple[Line, ...]]] = {
    Kind.WHO: lines("""
        {pick}
        {pick}. Look at the hands.
        {pick}, and not for the first time.
        It begins with {initial}.
        {initial}. You can guess the rest.
        {pick}. Or the one behind {pick}.
        The one who is not laughing. {pick}.
        {pick}. I would not have said, but you asked.
        {pick}. The glass went there before you finished.
        Somebody you have not met. Tall.
        {absent}. You said that name yourself.
        {kin} would know.
        Whoever touches the {thing} last.
        cold| {pick}. Do not act as if you did not know.
        sly| {pick}, but {pick} will deny it.
        mournful| The one you stopped writing to.
    """),
    Kind.NAME_OF: lines("""
        {namesake}
        {namesake}. I keep names. They keep me.
        {namesake}. It still turns when called.
        {namesake}. Did you think I was not listening?
        {namesake}, unless it has changed since you sat down.
        {namesake_spelled}
        I have it here. I am not giving it back.
        It begins with {letter}. Or I hold the page upside down.
        Nobody has said it at this table.
        Say it, and I will tell you if it is right.
        It is written inside the {thing}.
    """),
    Kind.WHEN: lines("""
        {when}
        {when}. Have your coat ready.
        {when}, and not a day before.
        {when}. {other} will be late.
        After the third knock.
        When "{topic}" no longer matters to you.
        {when}. I heard it on the stairs.
        Yesterday. You were looking the other way.
        When the {thing} is found.
        {when}, if the roof holds.
        You will be busy with something else.
        mournful| Later than you would like. {when}.
        restless| Listen. It is on the gravel.
    """),
    Kind.WHERE: lines("""
        {where}
        {where}. Mind the third step.
        {where}. It has been moved since.
        {where}, where {sayer} never looks.
        Where you last said "{word}".
        {where}. Bring a light.
        You sat on it.
        {where}. I can see a corner of it.
        Near running water.
        {where}. It is colder there, you will notice.
        Ask {other} to turn out the pockets.
        Not lost. Waiting. {where}.
        Beyond {place}, where the map stops.
    """),
    Kind.WHY: lines("""
        Because nobody shut the window.
        Because {other} asked for it, long ago, half asleep.
        It was cheaper.
        Somebody was lonely.
        For love. It usually is.
        For money. It usually is.
        Ask the one who profits.
        There was a quarrel about "{topic}". It is still going on.
        Because you were told not to.
        The reason died first.
        Habit. Even the dead have it.
        So that you would ask.
        A small lie in a large house.
        It was the only door that opened inward.
        Because you said "{word}" and something heard.
        Fear, in a good coat.
        There is no why on this board. Twenty-six letters, no why.
        sly| Because it is funny from this side.
        cold| You know why.
        mournful| Because things end, {asker}.
        tender| Because someone cared and did it badly.
        restless| Why, why, why. It scratches.
    """),
    Kind.HOW: lines("""
        Slowly, then at once.
        With both hands.
        By the back stairs.
        As you did the last time, but sober.
        Ask {other} to hold the other end.
        With the {thing}, if you can find it.
        Quietly. People sleep.
        In three steps. You have taken two.
        Backwards.
        First let go of "{topic}".
        By asking someone living.
        The way water does it.
        Say it aloud and it is half done.
        You will need salt, patience and {other}.
        With your left hand, in the dark.
        Badly, and then better.
        sly| With style. You have some, I hear.
        cold| Alone.
        tender| A little every day.
    """),
    Kind.WHAT: lines("""
        {what}
        {what}. You will know it when it is gone.
        {what}, I think. The light is poor here.
        {what}. {other} has seen it.
        I see {what_low}. Nothing else.
        Something with a handle.
        It is smaller than "{topic}", and heavier.
        {what}. Do not open it.
        It had a name before you called it "{topic}".
        Ask the {thing}.
        What you dropped when you heard the noise.
        {what}. There is writing on it.
        The same as for everyone. With less butter.
        A word you said tonight. "{word}".
        sly| You would not believe me. {what}.
        mournful| Something I used to have. {what}.
        cold| What you deserve.
        restless| It will not hold still. {what}?
    """),
    Kind.HOW_MANY: lines("""
        {number}
        {number}. I counted twice.
        {number}, and one that does not count.
        {number}. There were more.
        {number}. One of them is hiding.
        {number}, if {other} is honest.
        Exactly {number}. The dead are exact.
        {number}. You had hoped for another figure.
    """),
    Kind.HOW_LONG: lines("""
        {span}
        {span}. It will feel shorter.
        {span}, and then a knock.
        {span}. {other} will count the days.
        As long as a candle. Then {span}.
        {span}. I have waited longer for less.
    """),
    Kind.EITHER: lines("""
        {choice}
        {choice}. Was there a doubt?
        {choice}. The glass leans.
        {choice}, this once.
        {choice}. But you had chosen.
        The first, then the other, then {choice}.
        {choice}. {other} would take the other.
        Neither. But {choice}, if you must.
        sly| Both. No. {choice}.
        cold| {choice}, and regret it.
        tender| {choice}. It will be kinder to you.
    """),
    Kind.ADVICE: lines("""
        Call the one you are avoiding.
        Sleep first.
        Say less. Mean it.
        Do not lend it to {other}.
        Check the window on the north side.
        Keep the receipt.
        Go. Take {other} with you.
        Wait for the second offer.
        Leave "{topic}" where it lies.
        Say it to their face, kindly.
        Eat something.
        Turn the mirror.
        Trust the draught, not the door.
        Do the small thing today.
        sly| The opposite of what you planned.
        cold| Count the knives.
        tender| Forgive yourself first, {asker}.
        mournful| Write the letter. I did not.
        restless| Lock it. Check it. Lock it.
    """),
    Kind.THEIR_END: lines("""
        Late. Well fed. In the middle of a sentence.
        Not tonight. There is cake tomorrow.
        I am not allowed to look. It is thick, that book.
        So late that you will be bored.
        Long after the last person who asked me.
        After your hundredth excuse.
        That page is blank. Go and fill it.
        We do not tell. It spoils the middle.
        Old, warm, and in company.
        You are not on my list. I read it twice.
    """),
    Kind.THEIR_NAME: lines("""
        {asker_caps}
        {asker_spelled}
        {asker}. Your grandmother said it differently.
        {asker}, here. Another name before.
        {asker}. I know the step as well.
        You are {asker}. {other} is not so sure.
    """),
    Kind.COLOUR: lines("""
        The red of a shut eyelid.
        Candle yellow.
        Green, like deep glass.
        The blue under a door at night.
        Grey. It always was, under the paint.
        Black, with a little moth in it.
        White, but the wrong white.
    """),
    Kind.HOUR: lines("""
        Ten past three. It is always ten past three.
        Late.
        {clock}. By my watch, which stopped.
        The hour when floors speak.
        Later than {other} told you.
        Almost. Almost.
        {clock}, on this side.
    """),
}

WHEN: Final = choices("""
    In {n} days / On a Tuesday / Before the month turns / At the first frost / In {n} weeks /
    When the clocks change / In the {nth} year / Next full moon / On a day with rain / In {month} /
    Late in {month} / At night / Soon / When it is least convenient / After midnight / On the {nth}
""")

WHERE: Final = choices("""
    Under the stairs / Behind the wardrobe / North / Where the floor is warm / In the second drawer / By the water
    / In the house with the blue door / Between two books / In a coat you do not wear / Below the window /
    In the attic / Across a bridge / In plain sight / Next to the clock /
    With someone whose name begins with {letter} / In the garden, one spade deep / Upstairs / On a train
""")

WHAT: Final = choices("""
    A key / A letter with no stamp / Two rings / A photograph / A dog, waiting / Water / A long table /
    A locked box / An old song / A white door / A debt / A cup, still warm / A coat on a hook / A bell /
    Snow, indoors / A woman in grey / A boy with one shoe / Nothing / A map, upside down / Smoke /
    A stranger's handwriting / A spoon / A number on a wall / A candle that burns down twice
""")

SPANS: Final = choices("""
    {n} days / {n} weeks / {n} months / {n} winters / One winter / Until the snow / Three nights / Seven years /
    As long as it takes to say so / Longer than the carpet / Until {month}
""")

MONTHS: Final = choices("""
    January / February / March / April / May / June / July / August / September / October / November / December
""")
