"""A run of tests whose server dies."""


def test_died(server, running_server):
    running_server[1].kill()
    running_server[1].wait()


def test_next(server):
    pass
