"""``python -m mes_engine``, and the ``mes`` command."""

from mes_engine.cli import main

if __name__ == "__main__":
    main()
