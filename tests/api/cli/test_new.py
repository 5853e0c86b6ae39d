"""`onething new`."""


def test_new__can_be_linted_at_once(run, tmp_path):
    made = run("new", "open_pharmacy", "--name", "开办药店", "--in", str(tmp_path / "workflows"))

    folder = tmp_path / "workflows/open-pharmacy"
    assert made.exit_code == 0, made.output
    assert str(folder) in made.output
    assert run("lint", str(folder), "--strict").output == "11 files, 0 errors, 0 warnings\n"


def test_new__among_the_workflows(run, tmp_path):
    result = run("new", "open_pharmacy", ONETHING_WORKFLOWS=str(tmp_path))

    assert result.exit_code == 0, result.output
    assert (tmp_path / "open-pharmacy/open-pharmacy.bpmn").exists()


def test_new__twice(run, tmp_path):
    run("new", "open_pharmacy", "--in", str(tmp_path))

    result = run("new", "open_pharmacy", "--in", str(tmp_path))

    assert (result.exit_code, "but it is there already" in result.output) == (1, True)


def test_new__bad_key(run, tmp_path):
    result = run("new", "开办药店", "--in", str(tmp_path))

    assert (result.exit_code, "Expected a key of small letters" in result.output) == (1, True)
