"""Faults of what the environment says."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from greynb.doctor import treat
from tests.doctor.conftest import found, ids


def test_a_variable_that_names_no_file_is_an_error_with_the_variable(demo, look, monkeypatch):
    monkeypatch.setenv("ANALYTICS_DB_PATH", "mysql://user:hunter2@server/races")
    finding = found(look(), "variable-unusable")
    assert finding.level == "error" and finding.role == "analytics"
    assert "ANALYTICS_DB_PATH (environment)" in finding.evidence[0]
    assert "hunter2" not in str(finding)


def test_the_environment_and_the_env_file_that_differ_are_both_named(demo, look):
    env = demo.staging.with_name(".env")
    env.write_text("STAGING_DB_PATH=elsewhere.db\n")
    finding = found(look(), "variables-contradict")
    assert "environment" in finding.evidence[0] and str(demo.staging) in finding.evidence[0]
    assert str(env) in finding.evidence[1] and "not used" in finding.evidence[1]


def test_the_same_value_in_both_places_is_no_contradiction(demo, look):
    demo.staging.with_name(".env").write_text(f"STAGING_DB_PATH=./{demo.staging.name}\n")
    assert "variables-contradict" not in ids(look())


def test_two_shared_variables_of_different_files_contradict_each_other(demo, look, monkeypatch):
    monkeypatch.delenv("ANALYTICS_DB_PATH")
    monkeypatch.setenv("GREYHOUND_DB_PATH", str(demo.analytics))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{demo.staging}")
    assert "DATABASE_URL" in found(look(), "variables-contradict").mend


def test_an_old_variable_that_names_a_third_file_is_told(demo, look, monkeypatch):
    monkeypatch.setenv("GREYHOUND_DB_PATH", str(demo.staging.with_name("old.db")))
    finding = found(look(), "variables-contradict")
    assert "neither staging nor analytics" in finding.evidence[0]
    assert finding.mend == "unset GREYHOUND_DB_PATH"


@pytest.mark.parametrize("line", ["DATABASE_PATH=old.db", "  export DATABASE_PATH = 'old.db'"])
def test_the_command_takes_a_variable_out_of_the_env_file_and_nothing_else(line, demo, look):
    env = demo.staging.with_name(".env")
    env.write_text(f"# DATABASE_PATH=older.db\n{line}\nOTHER_DATABASE_PATH=x\n")
    subprocess.run(found(look(), "variables-contradict").mend, shell=True, check=True)
    assert env.read_text() == "# DATABASE_PATH=older.db\nOTHER_DATABASE_PATH=x\n"
    assert "variables-contradict" not in ids(look())


def test_staging_that_names_the_published_file_is_an_error(demo, look, monkeypatch):
    monkeypatch.setenv("STAGING_DB_PATH", str(demo.analytics))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(demo.staging))
    examination = look()
    findings = [each for each in examination.findings if each.id == "other-role"]
    assert {each.role for each in findings} == {"staging", "analytics"}
    assert any("gen-000001" in line for each in findings for line in each.evidence)
    mends = {each.role: each.mend for each in findings}
    assert mends["staging"].startswith("export STAGING_DB_PATH=")
    assert "greyhound_racing_data_stage.db " in mends["staging"], "that is what was published"


def test_a_command_can_be_pasted_into_a_shell_whatever_the_path(look, monkeypatch, tmp_path):
    folder = tmp_path / "my races; it's $HOME"
    folder.mkdir()
    env = folder / ".env"
    env.write_text("API_TOKEN=secret\n")
    env.chmod(0o644)
    monkeypatch.chdir(folder)
    subprocess.run(found(look(), "env-secrets").mend, shell=True, check=True)
    assert env.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("variable", ["GREYHOUND_DB_PATH", "DATABASE_PATH"])
def test_both_roles_in_one_file_is_a_warning(variable, demo, look, monkeypatch):
    monkeypatch.delenv("STAGING_DB_PATH")
    monkeypatch.delenv("ANALYTICS_DB_PATH")
    monkeypatch.setenv(variable, str(demo.staging))
    finding = found(look(), "one-file")
    assert finding.level == "warning" and len(finding.evidence) == 2
    assert "greynb sync" in finding.mend


def test_a_relative_path_that_means_another_file_one_folder_up_is_told(demo, look, monkeypatch):
    folder = demo.staging.parent / "notebooks"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STAGING_DB_PATH", demo.staging.name)
    finding = found(look(), "relative-path")
    assert str(folder) in finding.evidence[0]
    assert finding.mend.startswith(f"export STAGING_DB_PATH={demo.staging} ")
    shutil.copy(demo.staging, folder)
    assert "is there, too" in found(look(), "relative-path").evidence[1]


def test_a_relative_path_that_has_but_one_meaning_is_fine(demo, look, monkeypatch):
    monkeypatch.setenv("STAGING_DB_PATH", demo.staging.name)
    assert "relative-path" not in ids(look())


def test_a_default_file_that_is_found_one_folder_up_is_told(demo, look, monkeypatch):
    folder = demo.staging.parent / "notebooks"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("STAGING_DB_PATH")
    assert found(look(), "relative-path").role == "staging"


@pytest.mark.parametrize(
    "line", ["SPORTSBET_API_KEY=abc123", "DB_PASSWORD=hunter2", "FEED=https://me:hunter2@feed.example/"]
)
def test_secrets_that_everybody_can_read_are_told_by_name_and_hidden_by_the_fix(line, demo, look):
    env = demo.staging.with_name(".env")
    env.write_text(f"{line}\n")
    env.chmod(0o644)
    examination = look()
    finding = found(examination, "env-secrets")
    assert line.partition("=")[0] in finding.evidence[1]
    assert line.partition("=")[2] not in str(finding) and "hunter2" not in str(finding)
    told: list[str] = []
    treat(examination, told.append)
    assert env.stat().st_mode & 0o777 == 0o640
    assert "0644 to 0640" in told[0]
    assert "env-secrets" not in ids(look())


def test_an_env_file_without_secrets_may_be_read_by_everybody(demo, look):
    env = demo.staging.with_name(".env")
    env.write_text("PASSENGERS=4\nKEYBOARD=qwerty\nDB_PASSWORD=\n")
    env.chmod(0o644)
    assert "env-secrets" not in ids(look())
