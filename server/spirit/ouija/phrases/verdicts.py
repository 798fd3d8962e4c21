"""How the board says yes, no and neither, and what it adds."""

from typing import Final

from server.spirit.ouija.lines import Line, lines

YES: Final = ("YES", "YES", "YES", "YES.", "Y E S", "OUI", "YES, YES")
NO: Final = ("NO", "NO", "NO", "NO.", "N O", "NO, NO")
PERHAPS: Final = ("PERHAPS", "NOT YET", "UNCLEAR", "ALMOST", "ASK LATER", "BETWEEN", "NEARLY", "IT TURNS")

AFTER_YES: Final[tuple[Line, ...]] = lines("""
    But not the way you mean it.
    Sooner than the candle thinks.
    You knew before you sat down.
    It has already begun.
    Twice.
    And you will laugh about it.
    If {other} keeps quiet.
    It was decided on a Thursday.
    Someone will say it was luck.
    When the leaves are down.
    The {thing} says so too.
    Do not tell {other}.
    More than you asked for.
    I saw it from the landing.
    Quietly.
    Once you stop asking.
    The door is already open.
    It will come by the back stairs.
    And "{topic}" is the smaller part of it.
    {asker}, you may breathe out.
    Keep a chair free.
    That was never the difficult part.
    I would put a penny on it.
    As sure as damp.
    Before {sayer} says "{word}" again.
    sly| Though you will wish I had said no.
    sly| Obviously.
    sly| And somebody at this table has known for weeks.
    tender| You deserve it, {asker}.
    tender| I am glad I am the one to say it.
    tender| Be gentle when it comes.
    mournful| It was so for me, too.
    mournful| Enjoy it while it is warm.
    mournful| I said yes once, to {kin}.
    cold| It will cost you.
    cold| You will not thank me.
    cold| Look behind the answer.
    restless| Now. Now. Now.
    restless| I can hear it on the road.
    restless| It is looking for the house number.
    still| The table agrees.
    still| It is written small, but written.
""")

AFTER_NO: Final[tuple[Line, ...]] = lines("""
    And be glad.
    Not in this house.
    Not while {other} is watching.
    Ask why you wanted it.
    The door was painted on.
    It went by in the night.
    Somebody else has it.
    Not this year.
    You hoped. I felt it in the wood.
    That road has grown over.
    Not even for a penny.
    Put "{topic}" away.
    The cards would have lied. I do not.
    Only in one of the mirrors.
    Nearly. But no.
    The {thing} fell the other way.
    It never does, on that side.
    {asker}, let it go.
    I looked twice.
    Nobody comes when it calls.
    It left with the last owner.
    Try the other hand.
    Ask {other} what happened to it.
    That was someone else's future. Wrong drawer.
    sly| But do act surprised.
    sly| Next question, quickly, before I change it.
    sly| Even the furniture knew that.
    tender| Something softer comes instead.
    tender| It was never yours to carry.
    tender| Sleep on it. It will be smaller.
    mournful| I waited for that as well.
    mournful| It stayed on the other bank.
    cold| And you know what you did.
    cold| Do not ask a third time.
    cold| Nothing warm lies that way.
    restless| Stop pulling at it.
    restless| It heard you ask. Hush.
    still| It is not on the board.
    still| The glass did not even tremble.
""")

AFTER_PERHAPS: Final[tuple[Line, ...]] = lines("""
    Two of you are pushing.
    It depends on {other}.
    Ask again when it rains.
    The answer is still coming up the stairs.
    There are two doors. You keep looking at the wall.
    It leans. It has not fallen.
    The dead are divided.
    It has your face, and then it has not.
    Someone has not made up their mind. You.
    Say "{topic}" slower, and I may see.
    I see water, and then the picture goes.
    Ask me with your eyes closed.
    That page is stuck to the next.
    It hangs by a hair. Grey, I think.
    Let {asker} ask it alone.
    The planchette wants both.
    It changes when you look.
    First find the {thing}.
    sly| I could say. I would rather watch.
    sly| What is it worth to you?
    tender| Whichever way, you will be all right.
    mournful| I never learned how mine ended, either.
    cold| You are not ready for the short answer.
    restless| Wait. Someone is talking over me.
    still| The glass moves, and comes back.
    still| There is mist on that one.
""")

AGAIN: Final[tuple[Line, ...]] = lines("""
    Still {verdict}.
    You asked. {verdict}.
    {verdict}. As before.
    The answer has not moved. {verdict}.
    {verdict}. Asking wears the wood.
    It was {verdict}, it is {verdict}.
    Did you hope I had forgotten? {verdict}.
    {verdict}. {other} heard it the first time.
""")
