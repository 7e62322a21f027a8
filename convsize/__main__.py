"""`python -m convsize` is `convsize`."""

from convsize.cli.app import main

if __name__ == "__main__":
    main()
