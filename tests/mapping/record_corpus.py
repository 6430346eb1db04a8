"""Records what Jayway says to every path of the corpus: `python -m tests.mapping.record_corpus`, with Java and the newest jar.

The paths stand in corpus/jsonpath_paths.txt, below the name of their document; the answers go to corpus/jsonpath.json, which
holds where there is no Java, too.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.mapping.jayway import close_references, references

CORPUS = Path(__file__).parent / "corpus"
RECORDED = CORPUS / "jsonpath.json"


def cases() -> list[tuple[str, str]]:
    """(document name, path)."""
    found: list[tuple[str, str]] = []
    document = ""
    for line in (CORPUS / "jsonpath_paths.txt").read_text().splitlines():
        if line.startswith("# "):
            document = line.removeprefix("# ")
        elif line:
            found.append((document, line))
    return found


def documents() -> dict[str, str]:
    return {
        name: json.dumps(value) for name, value in json.loads((CORPUS / "jsonpath_documents.json").read_text()).items()
    }


def main() -> None:
    reference = references()[-1]
    texts = documents()
    rows = []
    for document, path in cases():
        answer = reference.ask(path, texts[document])
        rows.append(
            {"document": document, "path": path, "kind": answer.kind, "definite": answer.definite, "text": answer.text}
        )
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    RECORDED.write_text(f'{{"version": "{reference.version}", "cases": [\n{lines}\n]}}\n')
    close_references()


if __name__ == "__main__":
    main()
