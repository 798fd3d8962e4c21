"""What the spirit says of itself, once it has drawn a life."""

from typing import Final

from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.lines import Line, lines

OWN: Final[dict[Kind, tuple[Line, ...]]] = {
    Kind.OWN_NAME: lines("""
        {spelled}
        {self}. Say it softly.
        They called me {self}.
        {self}. It is cut wrong on the stone.
        You have it already. {self}.
        {self}, to the living.
        {self}. Nobody has used it in years.
        "{manner}", someone wrote above my name. {self}.
    """),
    Kind.OWN_DEATH: lines("""
        {cause}.
        {cause}. That is the short of it.
        By {place}. {cause}.
        {cause}. I was {age}.
        Between one breath and the other. {cause}.
        The book says accident. The book was paid.
        It was {year}. The rest is weather.
        Quicker than the telling.
    """),
    Kind.OWN_KILLER: lines("""
        No hand did it. But someone watched.
        Nobody you could hang.
        I do not say that name at a table.
        Ask who closed the door.
        {kin} knows. {kin} said nothing.
        It had a kind face.
        There were initials on the {thing}. Not mine.
    """),
    Kind.OWN_YEAR: lines("""
        {year}
        {year}. It rained.
        In {year}, when things were made of wood.
        Since {year}. I have counted, there is little else.
        {year}. The clocks here never left it.
        Longer than this house. {year}.
    """),
    Kind.OWN_AGE: lines("""
        {age}
        {age}. For ever.
        {age}, then. Now it does not add up.
        {age}. I would have liked one more.
        Old enough to be under your floor. {age}.
        {age} candles, all out.
    """),
    Kind.OWN_PLACE: lines("""
        By {place}.
        {place_cap}. You would not find it now.
        Half at {place}, half behind {other}.
        Where the draught comes from.
        Under the letter M.
        On the empty chair.
        I never left {place}.
        Closer to the door than you are.
        Look at the candle. I am where it leans.
    """),
    Kind.OWN_TRADE: lines("""
        I was a {trade}.
        A {trade}. My hands still do it.
        {trade_cap}. Honest work, bad hours.
        I kept {place}, and I kept quiet.
        A {trade}, until {year}. Now I do this.
        I move glass for strangers.
        What I was told. Once, not.
        Ask {kin}. {kin} washed the apron.
        I got up early. That is over.
    """),
    Kind.OWN_WISH: lines("""
        {wish}
        {wish} Then I can go.
        To be asked, mostly.
        My {thing}. Have you seen it?
        A little warmth. Keep your hands there.
        Someone to say {kin} aloud.
        One thing was left undone. {wish}
        Company, {asker}. It is a long street.
        Not revenge. I tried it once. Draughty.
    """),
    Kind.OWN_KIN: lines("""
        {kin}.
        There was {kin}. There is no more to it.
        {kin} waited until the {thing} came back without me.
        Ask {kin}. Second stone from the gate.
        {kin} married well. I watched through the glass.
        One. {kin}. One was enough.
        Yes, and I kept nothing of it but the {thing}.
        {kin} had your laugh, {asker}.
    """),
    Kind.OWN_FEELING: lines("""
        Cold, thank you.
        Thin tonight.
        Like a room after the guests.
        Better, with {count} of you here.
        I feel what the table feels. It is fond of {other}.
        As well as damp can be.
        Light. You would be, too.
        still| Quiet. Do not spoil it.
        sly| Dead tired. That one is old.
        sly| Never better. Never anything.
        tender| Warmer since you asked.
        tender| Less alone than yesterday.
        mournful| I miss weather.
        mournful| Like {kin}'s empty coat.
        cold| Do not be polite with me.
        cold| Ask the people under the floor.
        restless| Crowded. They all want the glass.
        restless| I cannot find the edge of the table.
    """),
    Kind.OWN_NATURE: lines("""
        I was a {sex}. Now I am a draught.
        What is left in the {thing} when the hand is gone.
        A {trade}, once. Now a habit.
        Not good. Not wicked. Not finished.
        I am what moves when you say you are not pushing.
        Nobody's demon. {self}.
        Dead, and well brought up.
        Kinder than the one behind me.
        I would not hurt you. I could not lift a spoon.
        Something that remembers {place}.
        Ask {other}. {other} can feel it at the neck.
        They made me "{manner}". It did not take.
    """),
    Kind.OTHERS: lines("""
        {n}. They are shy.
        One. It does not speak, it knocks.
        The cellar is full. I am the one with manners.
        Only me, and the one you brought.
        More than chairs.
        They are listening. They like {other}.
        {kin} comes sometimes. Not tonight.
        A child, on the stairs. Do not turn round.
        Nobody. That is the trouble.
    """),
    Kind.STORY: lines("""
        There is no more. I stopped there.
        That was all of it. The rest is the table.
        Ask for it again tomorrow. I tell it better in rain.
        It ends there. So did I.
        You have my whole life. It fitted on a board.
    """),
}
