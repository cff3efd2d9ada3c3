"""Assertions over the translated template: what no general checker knows. Each yields a sentence for each fault."""

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def sentences(function, template):
    """What an assertion says; what it expects and does not find is a fault too."""
    try:
        yield from function(template)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        yield f"the template is not as it expects: {type(error).__name__} {error}"


def faults(template):
    """Every fault, by the name of the assertion that found it."""
    found = {function.__name__: list(sentences(function, template)) for function in CHECKS}
    return {name: sentences for name, sentences in found.items() if sentences}
