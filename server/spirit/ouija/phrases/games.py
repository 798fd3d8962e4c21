"""What the spirit says when people play with it, and what it notices by itself."""

from typing import Final

from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.lines import Line, lines

GAMES: Final[dict[Kind, tuple[Line, ...]]] = {
    Kind.SECRET: lines("""
        One of you has read this board before.
        {other} kept the photograph.
        There is a room here that you count as wall.
        I am not the oldest one at this table.
        {quiet} knows what {asker} did.
        The {thing} was never lost. I hid it.
        I cheat with the letter E.
        Someone in this room will dream of "{word}".
        You are all breathing in time. You did not notice.
        I was not buried where they say.
        {asker} wanted to ask something else.
        The last people here asked about you.
    """),
    Kind.JOKE: lines("""
        Why do ghosts love lifts? It raises the spirits.
        I would tell you, but the timing is dead.
        Knock, knock. No, do not open.
        Two skeletons stay in. They had no body to go with.
        My diet works. I am nothing now.
        A ghost walks into a bar. That is all. No one saw.
        I had a joke about the cellar. It is beneath me.
        What is black, and white, and read all over? My will.
    """),
    Kind.POEM: lines("""
        One for the candle, two for the stair, three for the hand that was not there.
        The clock has stopped, the tea is poured, and someone small is on the board.
        Cold the hearth and shut the door. We were five. I count one more.
        Sleep, my {trade}, sleep in the ground. What was lost was never found.
        Rain on the slates and a step in the hall. It was not the wind at all.
        I had a lamp, I had a name. One of them went, and one of them came.
    """),
    Kind.SIGN: lines("""
        Listen. Now.
        The next sound is me.
        Behind {other}. You missed it.
        I am giving it. Look at the flame, not at the glass.
        Check the door in an hour.
        Something will fall on {weekday}.
        I did. You called it the pipes.
        A name will come up twice tomorrow. That is me.
        Your screen flickered. You blinked.
        Tonight, at {clock}. Do not get up.
        sly| BOO
        cold| You would not ask twice.
    """),
    Kind.LETTER: lines("""
        {letter}
        {letter}. Keep it.
        {letter}, as in nothing you know.
        {letter}. It was worn down before you came.
    """),
    Kind.COIN: lines("""
        {side}
        {side}. It rolled under the table.
        {side}. I looked before you did.
        {side}, and it is my penny.
    """),
    Kind.NUMBER: lines("""
        {number}
        {number}. It follows me, too.
        {number}. Do not bet it.
        {number}. Look at your ticket again.
    """),
    Kind.BETWEEN: lines("""
        {number}
        {number}. You had thought of it.
        {number}. The edges are for the living.
    """),
    Kind.DIE: lines("""
        {rolled}
        {rolled}. The table tilts.
        {rolled}. Double it if you dare.
    """),
    Kind.SUM: lines("""
        {sum}
        {sum}. The dead still have to count.
        {sum}. I did it on the slate.
    """),
    Kind.SPELL: lines("""
        {spelt}
    """),
    Kind.COUNT: lines("""
        {counted}
    """),
}

NOTICES: Final[dict[str, tuple[Line, ...]]] = {
    "newcomer": lines("""
        {asker} is new. The chair knew first.
        Another hand. Welcome, {asker}.
        {asker}. We were speaking of you.
        A new voice. Sit where it is cold, {asker}.
    """),
    "gap": lines("""
        You were gone. I moved something.
        Long, that silence. I filled it.
        Back again. The candle went out twice.
        I waited. I am good at it.
    """),
    "quiet": lines("""
        {quiet} says nothing.
        Why is {quiet} so still?
        {quiet} has a hand under the table.
        Let {quiet} ask.
    """),
    "crowd": lines("""
        One at a time.
        You all speak at once, like my funeral.
        Too many hands.
    """),
    "shouting": lines("""
        Do not shout. The dead sleep lightly.
        I am dead, not deaf.
        Softer. You will wake the others.
    """),
    "recall": lines("""
        "{word}", {sayer} said. I keep such things.
        I am still thinking of "{word}".
        {absent} was mentioned. {absent} is listening.
        It has to do with "{word}".
        Ask {sayer} about "{word}".
        You spoke of {absent}. That was not wise.
    """),
    "again": lines("""
        You have said that before.
        Again? I heard you through the floor.
        The same words. The glass yawns.
        That is the third time in some house or other.
        You repeat yourself. So do I, on the stairs.
    """),
    "many": lines("""
        {count} of you. I counted {count_more}.
    """),
    "first": lines("""
        Hands on the glass. So. I am here.
        The glass is warm. Someone was waiting, and it was me.
        I smell candle. Good. Ask me.
        You woke me. Good evening.
    """),
    "love": lines("""
        The heart is a poor reader.
        Look who blushes. {other}.
        It has brown eyes, or had.
        Somebody carved it in a table. Not this one.
        Love is the only thing that came with me.
    """),
    "money": lines("""
        It slips through fingers. Mine especially.
        Count it twice. Then share it.
        Pennies for the eyes, in my day.
    """),
    "work": lines("""
        I worked until I died. I do not advise it.
        The desk will outlive you. Be kind to it.
        Somebody there is jealous of your chair.
    """),
}
