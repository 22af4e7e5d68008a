"""What tests in every folder may ask for, and what holds for all of them."""

from hypothesis import settings

pytest_plugins = ["tests.cluster.fixture", "tests.image.fixture"]

# How long an example takes says how busy the machine is: speed is never asserted in a test.
settings.register_profile("golive", deadline=None)
settings.load_profile("golive")
