"""What all tests share."""

import signal

# A shell starts what runs in the background deaf to Ctrl-C, and so would be all processes that tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
