"""The group: who they are, and what each of them does in a week."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from librarian.demo.diary import Diary
from librarian.demo.runs import Ask, Leg, Person, Shape
from librarian.demo.weeks import HOUR

CPU, A100, B200 = ("avery", "compute"), ("avery", "a100"), ("avery", "b200")
BIG, BURST = ("avery", "bigmem"), ("avery-b", "compute")
FRAIL = {"FAILED": 0.08, "CANCELLED": 0.06, "NODE_FAIL": 0.02}
CRASHES = {"FAILED": 0.5, "OUT_OF_MEMORY": 0.15, "CANCELLED": 0.1}


def gpus(count: int, kind: str) -> Shape:
    """A GPU job with the CPUs and the memory that people take along."""
    return Shape(8 * count, 64 * count, count, kind, nodes=1 + (count - 1) // 8)


def trainer(diary: Diary) -> None:
    """Trains on a100s, sometimes b200s. In the second week of a cycle a paper is due: more runs than there are GPUs."""
    for at in diary.moments(3.4, 0.3):
        shape = gpus(diary.random.choice((1, 2, 2, 4, 4)), "a100")
        diary.job(at, A100, shape, diary.plan(17, 60, spread=0.7, chances=FRAIL), 60)
    for at in diary.moments(0.4):
        diary.job(at, B200, gpus(4, "b200"), diary.plan(9, 36, chances=FRAIL), 36)
    if diary.turn == 1:
        for day, tasks in ((1, 110), (2, 90), (3, 40)):
            plans = [diary.plan(8, 24, spread=0.4, chances=FRAIL) for _ in range(tasks)]
            diary.array(diary.at(day, 8.5, 1), A100, gpus(1, "a100"), plans, 24, 34)


def tuner(diary: Diary) -> None:
    """Fine-tunes models on b200s, several GPUs at a time; asks for any kind of GPU and gets those."""
    for at in diary.moments(0.9, 0.2):
        count = diary.random.choice((2, 4, 4, 8))
        asked = Shape(8 * count, 64 * count, count)
        plan = diary.plan(12, 48, spread=0.7, chances=FRAIL)
        limit = 48 * HOUR
        diary.add(Ask(diary.person, at, *B200, (gpus(count, "b200"),), limit, (plan,), request=asked))


def sweeper(diary: Diary) -> None:
    """Sweeps parameters: a large array every working morning, a larger one for the weekend, small ones beside them.

    Leaves the group's own CPUs to the trainer when a paper is due, and sweeps in the burst QoS.
    """
    for day in range(5):
        yielding = diary.turn == 1 and day in (1, 2, 3)
        hours = 4.5 if yielding else 6.2
        tasks = diary.random.randint(95, 125) if not yielding else diary.random.randint(130, 200)
        plans = [diary.plan(hours, 18, spread=0.5, chances={"FAILED": 0.02}) for _ in range(tasks)]
        throttle = 60 if not yielding else diary.random.choice((24, 48))
        diary.array(diary.at(day, 8.6, 1.2), BURST if yielding else CPU, Shape(8, 28), plans, 18, throttle)
        small = [diary.plan(2.5, 6, chances={"OUT_OF_MEMORY": 0.03}) for _ in range(diary.count(28))]
        diary.array(diary.at(day, 14, 2), CPU, Shape(2, 12), small, 6, 20)
    if diary.turn != 3:
        tasks = diary.random.randint(210, 250)
        plans = [diary.plan(6.5, 18, spread=0.5, chances={"FAILED": 0.02}) for _ in range(tasks)]
        diary.array(diary.at(4, 16.5, 1.5), CPU, Shape(8, 28), plans, 18, 60)


def assembler(diary: Diary) -> None:
    """Assembles genomes in most of the group's memory; when it was not enough, again with more."""
    for at in diary.moments(0.55, 0.2):
        memory = diary.random.choice((500, 700, 900, 1100))
        plan = diary.plan(20, 60, spread=0.6, chances={"OUT_OF_MEMORY": 0.3, "FAILED": 0.05})
        diary.job(at, BIG, Shape(32, memory), plan, 60)
        if plan[-1].state == "OUT_OF_MEMORY":
            again = at + plan[-1].seconds + diary.random.randrange(HOUR, 5 * HOUR)
            diary.job(again, BIG, Shape(32, memory * 3 // 2), diary.plan(24, 60, spread=0.4), 60)


def interactive(diary: Diary) -> None:
    """Short sessions all day long, some with a GPU, many closed early or forgotten."""
    for at in diary.moments(9, 0.25):
        shape = Shape(diary.random.choice((1, 2, 2, 4)), diary.random.choice((4, 8, 16)))
        diary.job(at, CPU, shape, diary.plan(0.7, 4, spread=1.2, chances={"CANCELLED": 0.3}), 4)
    for at in diary.moments(2, 0.2):
        diary.job(at, A100, gpus(1, "a100"), diary.plan(1.5, 6, spread=0.9, chances={"CANCELLED": 0.3}), 6)


def pipeline(diary: Diary) -> None:
    """A weekly pipeline of three steps, each after the one before: fetch, map in the burst QoS, merge."""
    map_plans = [diary.plan(1.6, 8, spread=0.4, chances={"NODE_FAIL": 0.02}) for _ in range(60)]
    steps = (
        (CPU, Shape(2, 8), (diary.plan(1.2, 6, spread=0.3),), 6, 0),
        (BURST, Shape(16, 60), tuple(map_plans), 8, 30),
        (BURST, Shape(48, 400), (diary.plan(5, 24, spread=0.3),), 24, 0),
    )
    at, before = diary.at(0, 15.2, 0.1), None
    for queue, shape, plans, limit, throttle in steps:
        at += 2
        before = Ask(diary.person, at, *queue, (shape,), limit * HOUR, plans, throttle, after=before)
        diary.add(before)


def beginner(diary: Diary) -> None:
    """Learns: most jobs fail within minutes, some before they run, and one a week asks for more than the group has."""
    for at in diary.moments(5):
        diary.job(at, CPU, Shape(4, 16), diary.plan(1.0, 6, spread=1.0, chances=CRASHES), 6)
    for day, refused in ((1, "launched"), (3, "queued")):
        plans = ((Leg(0, "FAILED"),),)
        diary.add(
            Ask(diary.person, diary.at(day, 11, 3), *CPU, (Shape(4, 16),), HOUR, plans, refused=refused),
        )
    at = diary.at(diary.random.randrange(5), 10, 6)
    plans, patience = ((Leg(HOUR, "COMPLETED"),),), diary.random.randrange(HOUR, 6 * HOUR)
    diary.add(Ask(diary.person, at, *A100, (gpus(48, "a100"),), 8 * HOUR, plans, give_up=at + patience))


def modeller(diary: Diary) -> None:
    """Simulates flows over many nodes, in the burst QoS; the operators pause one of them at times."""
    for at in diary.moments(5.5, 0.4):
        nodes = diary.random.choice((1, 2, 4, 4, 8))
        plan = diary.plan(13, 72, spread=0.7, chances={"NODE_FAIL": 0.05, "CANCELLED": 0.05, "FAILED": 0.05})
        diary.job(at, BURST, Shape(96 * nodes, 700 * nodes, nodes=nodes), plan, 72)
    paused = (Leg(diary.seconds(9, 0.2), "COMPLETED", suspended=diary.random.randrange(40 * 60, 3 * HOUR)),)
    diary.job(diary.at(2, 9, 4), BURST, Shape(192, 1400, nodes=2), paused, 48)


def generalist(diary: Diary) -> None:
    """A bit of everything in both QoS, with wall times that are too short."""
    for at in diary.moments(5, 0.2):
        cpus = diary.random.choice((1, 4, 8, 16))
        diary.job(at, CPU, Shape(cpus, cpus * 6), diary.plan(3, 6, spread=0.9, chances=FRAIL), 6)
    for at in diary.moments(3):
        diary.job(at, BURST, Shape(32, 128), diary.plan(5, 12, spread=0.8, chances={"REQUEUED": 0.08}), 12)
    for at in diary.moments(1.0):  # sends too much in the morning and takes some of it back
        plans = ((diary.plan(4, 8)),)
        diary.add(Ask(diary.person, at, *CPU, (Shape(24, 96),), 8 * HOUR, plans, give_up=at + 100 * 60))


def nightly(diary: Diary) -> None:
    """Processes the day's measurements every night, weekends too, and measures on most days."""
    for day in range(7):
        plans = (diary.plan(2.6, 8, spread=0.2, chances={"REQUEUED": 0.05}),)
        begin = diary.at(day + 1, 1.0)
        shape = (Shape(64, 250),)
        diary.add(Ask(diary.person, diary.at(day, 17.5, 0.5), *BURST, shape, 8 * HOUR, plans, begin=begin))
    for at in diary.moments(2, 0.5):
        diary.job(at, CPU, Shape(6, 40), diary.plan(1.4, 8, spread=0.7), 8)


def leader(diary: Diary) -> None:
    """Leads the group: a coupled model in two parts, a job that gives half back, whole nodes; little time for more."""
    parts = (Shape(64, 250, nodes=2), Shape(16, 120))
    plans = (diary.plan(11, 36, spread=0.3),)
    diary.add(Ask(diary.person, diary.at(1, 13, 3), *BURST, parts, 36 * HOUR, plans))
    first, second = Leg(diary.seconds(2, 0.3), "RESIZING"), Leg(diary.seconds(7, 0.4), "COMPLETED")
    diary.job(diary.at(2, 9, 6), CPU, Shape(16, 96), (first, second), 36)
    whole, asked = (Shape(96, 700),), Shape(1, 700)
    plans = (diary.plan(3, 12),)
    diary.add(Ask(diary.person, diary.at(3, 9, 7), *BURST, whole, 12 * HOUR, plans, request=asked))


def visitor(diary: Diary) -> None:
    """Works on a small project: many little jobs, now and then a GPU, and more crashes than not at first."""
    for at in diary.moments(6, 0.1):
        diary.job(at, CPU, Shape(3, 12), diary.plan(2.2, 8, spread=0.9, chances={"FAILED": 0.2, "TIMEOUT": 0.02}), 8)
    for at in diary.moments(0.7):
        diary.job(at, A100, gpus(1, "a100"), diary.plan(4, 12, spread=0.6, chances=FRAIL), 12)


Habit = Callable[[Diary], None]

MEMBERS: dict[str, Habit] = {
    "bosullivan": leader,
    "ychen12": sweeper,
    "mferrari": trainer,
    "sokonkwo": assembler,
    "jlindqvist": interactive,
    "rpatel": pipeline,
    "tnguyen": beginner,
    "aramirez": modeller,
    "wtaylor3": generalist,
    "kmensah": tuner,
    "evolkova": nightly,
}
# Visitors come for three weeks, a new one every second week; by the time the last one has been here the first returns.
VISITORS = (
    "hbrandt", "lsaito", "dkowalski", "amoreau", "zhossain", "ccastillo", "gjohansson", "fadeyemi", "nweiss",
    "vpopescu", "iokafor2", "bmurphy7",
)  # fmt: skip
STAY, EVERY = 3, 2
FIRST_UID = 1001
ACCOUNT, VISITORS_ACCOUNT = "avery", "avery-visitors"


def week_of(week: int, seed: int) -> Iterator[Ask]:
    """Everything the group asks for in the week of this number."""
    for index, (login, habit) in enumerate(MEMBERS.items()):
        yield from _asks(Person(login, FIRST_UID + index, ACCOUNT), habit, week, seed)
    for arrival in range(week // EVERY * EVERY, week - STAY, -EVERY):
        index = arrival // EVERY % len(VISITORS)
        person = Person(VISITORS[index], FIRST_UID + len(MEMBERS) + index, VISITORS_ACCOUNT)
        yield from _asks(person, visitor, week, seed)


def _asks(person: Person, habit: Habit, week: int, seed: int) -> list[Ask]:
    diary = Diary(person, week, seed)
    habit(diary)
    return diary.asks
