"""`onething` as it is shipped, but it says for what it is asked, and when a process that answers has been told to stop."""

import os

from granian import _signals

from api.cli import main, wsgi


def say(words):
    os.write(1, f"{os.getpid()} is {words}\n".encode())


def create_app(settings, make=wsgi.create_app):
    app = make(settings)
    answer = app.wsgi_app

    def answer_and_say(environ, start_response):
        say(f"asked for {environ['PATH_INFO']}")
        return answer(environ, start_response)

    app.wsgi_app = answer_and_say
    return app


def set_main_signals(interrupt, reload=None, set_=_signals.set_main_signals):
    def interrupt_and_say(*about):
        interrupt(*about)
        say("told to stop")

    set_(interrupt_and_say, reload)


if __name__ == "__main__":
    _signals.set_main_signals = set_main_signals
    wsgi.create_app = create_app
    main()
