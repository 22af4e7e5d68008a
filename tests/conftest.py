"""What tests in every folder may ask for."""

pytest_plugins = ["tests.cluster.fixture", "tests.image.fixture"]
