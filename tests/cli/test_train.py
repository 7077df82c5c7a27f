"""`soundfix info` and `soundfix train`."""


def test_info_describes_a_recipe_and_a_checkpoint(command, weights):
    for model in ("tiny", weights):
        status, said, _ = command("info", model)
        assert status == 0
        assert "trainable" in said
        assert "one 0.5 s window of 11 microphones" in said


def test_info_refuses_what_it_does_not_know(command):
    status, _, complaint = command("info", "huge")
    assert status == 2
    assert "neither a file nor a recipe" in complaint
