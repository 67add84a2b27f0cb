"""The ledger of claims and the chapter that checks it: no claim without a cell that decides it, no cell without one."""

import ast
import copy
import csv
import io
import re
import tokenize

import pytest

from dscourse import claims
from tests.support.book import ROOT, SLUGS, in_book, read, tell

pytestmark = in_book("claims_checked")
CHAPTER = ROOT / "chapters" / "claims_checked.ipynb"
GOOD = claims.Claim("x-one", "note 000, 1", "It is 12.", "wrong", "computed", "It is 34.", "cost_analysis")
TOOLS = {"caffe", "cost", "counting", "functional", "geometry", "layers", "models", "nn", "F", "sympy", "torch"}


def ledger_file(folder, *lines):
    path = folder / "claims.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


def test_ledger_is_read_in_order(tmp_path):
    other = GOOD._replace(id="x-two", claim='A "quoted", claim')
    assert claims.rows(ledger_file(tmp_path, claims.Claim._fields, GOOD, other)) == [GOOD, other]
    assert claims.claim(claims.rows()[-1].id) == claims.rows()[-1]


@pytest.mark.parametrize(
    "lines, said",
    [
        ([("id", "claim"), GOOD], "columns"),
        ([claims.Claim._fields, GOOD[:-1]], "7 cells"),
        ([claims.Claim._fields, (*GOOD, "more")], "7 cells"),
        ([claims.Claim._fields, GOOD._replace(correct=" ")], "empty"),
        ([claims.Claim._fields, GOOD._replace(verdict="false")], "x-one.*'false'"),
        ([claims.Claim._fields, GOOD._replace(evidence="guess")], "x-one.*'guess'"),
        ([claims.Claim._fields, GOOD._replace(evidence="none")], "x-one.*'none'"),
        ([claims.Claim._fields, GOOD._replace(verdict="untested")], "x-one.*'computed'"),
        ([claims.Claim._fields, GOOD, GOOD._replace(claim="other")], "two claims.*x-one"),
    ],
)
def test_broken_ledgers_are_refused(tmp_path, lines, said):
    with pytest.raises(ValueError, match=said):
        claims.rows(ledger_file(tmp_path, *lines))


def test_unknown_claim_is_named():
    with pytest.raises(ValueError, match="x-none"):
        claims.claim("x-none")


def test_a_claim_shows_its_verdict_and_a_link():
    assert GOOD._repr_markdown_() == "**Verdict: wrong.** It is 34. (See [cost analysis](cost_analysis.ipynb).)"
    assert "wrong, as measured.**" in GOOD._replace(evidence="measured")._repr_markdown_()
    assert "wrong, by a paper's words.**" in GOOD._replace(evidence="source")._repr_markdown_()
    assert "[GhostNet](ghostnet.ipynb)" in GOOD._replace(chapter="ghostnet")._repr_markdown_()


@pytest.mark.parametrize(
    "holds, reading, verdict",
    [
        ([True], {}, "right"),
        ([True, True], {}, "right"),
        ([True, False], {}, "conditional"),
        ([False, False], {}, "wrong"),
        ([False, False], {"limit_only": True}, "limit only"),
        ([False], {"misprint": True}, "misprint"),
        ([False], {"other_quantity": True}, "other quantity"),
        ([True], {"incomplete": True}, "incomplete"),
        ([], {"untested": True}, "untested"),
    ],
)
def test_evidence_leads_to_a_verdict(holds, reading, verdict):
    assert claims.verdict_of(*holds, **reading) == verdict


@pytest.mark.parametrize(
    "holds, reading",
    [
        ([], {}),
        ([], {"misprint": True}),
        ([], {"untested": False}),
        ([True], {"untested": True}),
        ([False], {"untested": True}),
        ([], {"untested": True, "misprint": True}),
        ([1], {}),
        ([None], {}),
        ([[True, True]], {}),
        ([False], {"misprint": "yes"}),
        ([False], {"misprint": False}),
        ([True], {"misprint": True}),
        ([False, True], {"limit_only": True}),
        ([False], {"incomplete": True}),
        ([True, False], {"incomplete": True}),
        ([False], {"wrong": True}),
        ([False], {"lie": True}),
        ([False], {"misprint": True, "cut_off": True}),
    ],
)
def test_evidence_that_decides_nothing_is_refused(holds, reading):
    with pytest.raises(ValueError):
        claims.verdict_of(*holds, **reading)


def test_check_compares_evidence_and_ledger():
    row = next(row for row in claims.rows() if row.verdict == "wrong")
    assert claims.check(row.id, False) == row
    with pytest.raises(AssertionError, match=f"{row.id}.*'right'.*'wrong'"):
        claims.check(row.id, True)
    with pytest.raises(ValueError, match="x-none"):
        claims.check("x-none", True)


# --- the chapter against the ledger ---


def numbers(text):
    """The numbers of a text that have two digits or more, without the notes' names: ``{"2304", "0.361"}``."""
    found = re.findall(r"\d[\d,_]*(?:\.\d+)?", text)
    plain = {re.sub("[,_]", "", number) for number in found}
    return {number for number in plain if len(number) > 1 and not re.fullmatch(r"00\d", number)}


def code_numbers(source):
    """The numbers in a cell's code, inside its strings too, but not in its comments."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return numbers(" ".join(token.string for token in tokens if token.type != tokenize.COMMENT))


def checks_in(source):
    """The calls in a cell that check a claim, or show one that rests on a paper's words."""
    if "claims.c" not in source:
        return []
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) in ("claims.check", "claims.claim")]


def names_in(node):
    """The names that stand in a piece of code."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def made_from(trees):
    """``{name: names}``: what each name that these pieces of code give a value to is made from."""
    made, nodes = {}, list(trees)
    for node in nodes:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):  # what is local to these stays theirs
            nodes += ast.iter_child_nodes(node)
        pairs = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            pairs = [({node.name}, node)]
        elif isinstance(node, ast.Assign):
            pairs = [(set().union(*map(names_in, node.targets)), node.value)]
        elif isinstance(node, ast.AugAssign):
            pairs = [(names_in(node.target), node.value)]
        elif isinstance(node, ast.For | ast.comprehension):
            pairs = [(names_in(node.target), node.iter)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # found.append(...)
            pairs = [(names_in(node.func.value), part) for part in node.args]
        for targets, value in pairs:
            for name in targets:
                made.setdefault(name, set()).update(names_in(value))
    return made


def rests_on(evidence, trees):
    """The names that a value comes from, through all that its cell and the cells without a claim define."""
    made, reached, new = made_from(trees), set(), names_in(evidence)
    while new:
        reached |= new
        new = set().union(*(made.get(name, set()) for name in new)) - reached
    return reached


def problems_of_evidence(tree, call, row, helpers):
    """What is wrong with the values that decide the claim: typed in, or not of the kind that the ledger says."""
    values = [*call.args[1:], *(word.value for word in call.keywords)]
    if (row.evidence == "source") != (call.func.attr == "claim"):
        yield f"{row.id}: a paper's words are quoted, with claims.claim; all else is checked, with claims.check"
    reached = [rests_on(value, [*helpers, tree]) for value in values]
    if not all(reached):
        yield f"{row.id}: the evidence is not computed"
    if row.evidence == "computed" and not all(names & TOOLS for names in reached):
        yield f"{row.id}: the evidence is typed in, it rests on no tool"
    if (row.evidence in ("measured", "none")) != any("measured" in names for names in reached):
        yield f"{row.id}: the ledger says {row.evidence!r}, but the cell does otherwise with measurements"


def problems_of_cell(before, cell, call, row, helpers):
    """What is wrong with the cell that checks this row, and with the text before it."""
    announced = f"> **{row.id}** ({row.source}): {row.claim}"
    said = re.sub(r"\n(> )?", " ", before.split("\n\n")[-1])
    if said != announced:
        yield f"{row.id}: the text before the check is not the ledger's: {said!r}"
    tree = ast.parse(cell.source)
    yield from problems_of_evidence(tree, call, row, helpers)
    comments = " ".join(re.findall("# (.*)", cell.source))
    if row.evidence == "source" and not re.search(r'"[^"]+".* (19|20)\d\d, ', comments):
        yield f"{row.id}: the paper's words and their source are not quoted"
    if not checks_in(ast.unparse(tree.body[-1])):
        yield f"{row.id}: the check is not the last statement, so nothing is shown"
    if row._repr_markdown_() not in [output.get("data", {}).get("text/markdown") for output in cell.outputs]:
        yield f"{row.id}: the cell does not show the ledger's verdict"
    quoted = row.evidence == "source"
    unsaid = numbers(row.claim + " " + row.correct) - (numbers if quoted else code_numbers)(cell.source)
    if unsaid:
        yield f"{row.id}: its numbers {sorted(unsaid)} are not in the cell"


def helping(cells):
    """The code of the cells that check no claim, without IPython's lines."""
    code = [cell.source for cell in cells if cell.cell_type == "code" and not is_claim(cell)]
    return [re.sub(r"^(\s*)%.*", r"\1pass", source, flags=re.MULTILINE) for source in code]


def is_claim(cell):
    """Whether a cell checks a claim."""
    return cell.cell_type == "code" and bool(checks_in(cell.source))


def problems(cells, ledger):
    """What keeps the chapter from being the ledger, each claim checked once and in order; empty if nothing does."""
    found, ids, by_id = [], [], {row.id: row for row in ledger}
    helpers = [ast.parse(source) for source in helping(cells)]
    for before, cell in zip(cells, cells[1:], strict=False):
        calls = checks_in(cell.source) if cell.cell_type == "code" else []
        if len(calls) > 1:
            found.append(f"one cell checks {len(calls)} claims")
        for call in calls:
            ids.append(ast.literal_eval(call.args[0]))
            if ids[-1] in by_id:
                found += problems_of_cell(before.source, cell, call, by_id[ids[-1]], helpers)
    found += [f"{id}: a check and no row" for id in ids if id not in by_id]
    found += [f"{id}: a row and no check" for id in by_id if id not in ids]
    if [id for id in ids if id in by_id] != [id for id in by_id if id in ids]:
        found.append("the order is not the ledger's, or a claim is checked twice")
    return found


def test_chapter_and_ledger_are_one():
    ledger = claims.rows()
    assert len(ledger) > 50
    wrong = problems(read(CHAPTER).cells, ledger)
    tell([f"chapters/claims_checked.md, {problem}" for problem in wrong])


def test_each_claim_can_be_tried_alone():
    """A cell with a claim runs after the cells without one: the page is to be looked things up in."""
    cells = read(CHAPTER).cells
    claimed = [place for place, cell in enumerate(cells) if is_claim(cell)]
    common = {}
    for source in helping(cells[: claimed[-1]]):
        exec(source, common)
    for place in claimed:
        exec(cells[place].source, dict(common))


COMPUTED, QUOTED = (next(row for row in claims.rows() if row.evidence == kind) for kind in ("computed", "source"))


def changed(ledger, old, **fields):
    return [row._replace(**fields) if row == old else row for row in ledger]


def place_of(cells, row):
    """Where the cell is that checks this claim."""
    return next(place for place, cell in enumerate(cells) if is_claim(cell) and f"'{row.id}'" in shown_code(cell))


def shown_code(cell):
    return ast.unparse(ast.parse(cell.source))


def edited(cells, row, new):
    """The cells with the last statement of this claim's cell replaced; ``{check}`` in the new one is the old."""
    cell = cells[place_of(cells, row)]
    *others, check = ast.parse(cell.source).body
    cell.source = "\n".join([*map(ast.unparse, others), new.format(check=ast.unparse(check))])
    return cells


def checked_twice(cells):
    place = place_of(cells, COMPUTED)
    return [*cells, *cells[place - 1 : place + 1]]


TYPED = f"typed = 1\nclaims.check({COMPUTED.id!r}, typed == 2)"
BREAKAGES = {  # part of the problem that must be found: what is done to cells and ledger
    "a row and no check": lambda cells, ledger: (cells, [*ledger, GOOD]),
    "a check and no row": lambda cells, ledger: (cells, ledger[1:]),
    "the text before the check": lambda cells, ledger: (cells, changed(ledger, COMPUTED, claim="Another.")),
    "does not show": lambda cells, ledger: (cells, changed(ledger, COMPUTED, verdict="untested")),
    "its numbers": lambda cells, ledger: (cells, changed(ledger, COMPUTED, correct="It is 98,765.4.")),
    "the order": lambda cells, ledger: (cells, [ledger[1], ledger[0], *ledger[2:]]),
    "checked twice": lambda cells, ledger: (checked_twice(cells), ledger),
    "typed in": lambda cells, ledger: (edited(cells, COMPUTED, TYPED), ledger),
    "otherwise with measurements": lambda cells, ledger: (cells, changed(ledger, COMPUTED, evidence="measured")),
    "not computed": lambda cells, ledger: (edited(cells, COMPUTED, f"claims.check({COMPUTED.id!r}, False)"), ledger),
    "not the last": lambda cells, ledger: (edited(cells, COMPUTED, "{check}\nx = 1"), ledger),
    "checks 2 claims": lambda cells, ledger: (edited(cells, COMPUTED, "{check}\n{check}"), ledger),
    "are not quoted": lambda cells, ledger: (edited(cells, QUOTED, "{check}"), ledger),  # which loses the comments
    "all else is checked": lambda cells, ledger: (
        edited(cells, COMPUTED, f"claims.claim({COMPUTED.id!r})"),
        ledger,
    ),
    "words are quoted, with claims.claim": lambda cells, ledger: (
        edited(cells, QUOTED, f"claims.check({QUOTED.id!r}, False)"),
        ledger,
    ),
}


@pytest.mark.parametrize("said", BREAKAGES)
def test_broken_chapters_and_ledgers_are_found(said):
    cells, ledger = BREAKAGES[said](copy.deepcopy(read(CHAPTER).cells), claims.rows())
    assert any(said in problem for problem in problems(cells, ledger))


@pytest.mark.parametrize("slug", sorted({row.chapter for row in claims.rows()} & set(SLUGS)))
def test_the_chapter_that_explains_a_claim_leads_to_the_ledger(slug):
    text = (ROOT / "chapters" / f"{slug}.md").read_text()
    assert "(claims_checked.ipynb)" in text, f"chapters/{slug}.md: link to claims_checked.ipynb, whose claims name it"
