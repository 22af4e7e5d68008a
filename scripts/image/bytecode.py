"""Compiles what these modules load, themselves included: in a pod, where nothing can be written, it cannot be kept.

`python bytecode.py MODULE…`, inside the Dockerfile. Bytecode that is never compared with its source needs no equal
time stamps in an image's layers.
"""

from __future__ import annotations

import importlib
import py_compile
import sys


def main() -> None:
    """Load, then compile the sources of all that was loaded."""
    for name in sys.argv[1:]:
        importlib.import_module(name)
    sources = {str(getattr(module, "__file__", None)) for module in sys.modules.values()}
    for source in sorted(sources):
        if source.endswith(".py") and source != __file__:
            py_compile.compile(source, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


if __name__ == "__main__":
    main()
