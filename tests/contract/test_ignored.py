"""Somebody who is not heard reads what everybody reads; and everybody reads what is true."""

from doubles.living import BEN, NOON, Living, said

WORDS = (
    *("report twitter", "report twitter", "report undo twitter", "report undo twitter"),
    *("report twitter login on web", "works twitter", "works twitter", "report calm", "report nothing like it"),
)


async def lived(path, *, ignored):
    """A day of Ben's in a house that may not hear him, with a restart in it: every answer that he got."""
    read_by_him = []
    path.mkdir()

    async def say(living):
        for words in WORDS:
            read_by_him.append(said(await living.say(words, who=BEN)))
            await living.beat(1, reports=1)

    async with Living(path, path / "data") as living:
        await living.broken()
        read_by_him.append(said(await living.say("report calm", who=BEN)))
        if ignored:
            assert (await living.say("config ignore 42", who=BEN_S_MODERATOR)).ok
        read_by_him.append(said(await living.say("report calm", who=BEN)))
        await living.beat(20)
        read_by_him.append(said(await living.say("report calm", who=BEN)))
        await say(living)
    async with Living(path, path / "data", living.clock.now()) as living:
        await say(living)
        await living.beat(40)
        await say(living)
        counted = await living.house.intake.past("calm", *(int(at.timestamp() // 60) for at in day(living)))
        assert await living.house.intake.recount() == 0
    return read_by_him, sum(counted)


def day(living):
    return NOON, living.clock.now()


BEN_S_MODERATOR = type(BEN)(chat=BEN.chat, id="900", name="Mod")


async def test_who_is_ignored_cannot_tell_by_any_answer(tmp_path):
    everybody, heard = await lived(tmp_path / "heard", ignored=False)
    ignored, unheard = await lived(tmp_path / "ignored", ignored=True)
    assert ignored == everybody
    assert (heard, unheard) == (3, 0)
    assert everybody[1] == "Counted already: one person is one voice. Nobody else reported Calm in the last 15 min."
    assert everybody[2].startswith("Counted already, 20 min ago: one person is one voice. Nobody else reported Calm")


async def test_who_is_heard_again_counts_at_once(tmp_path):
    async with Living(tmp_path) as living:
        await living.say("config ignore 42", who=BEN_S_MODERATOR)
        await living.say("report calm", who=BEN)
        await living.say("config heed 42", who=BEN_S_MODERATOR)
        assert said(await living.say("report calm", who=BEN)).startswith("Thank you, counted.")
        now = living.house.tally.bucket(living.clock.now())
        assert living.house.tally.total("calm", now) == 1
