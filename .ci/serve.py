"""Starts the site at HOST and PORT, and says where it is."""

import os
import socket
import sys


def addresses(host: str, port: int) -> list[str]:
    """Addresses at which a browser reaches a server that listens on ``host``."""
    if host != "0.0.0.0":
        return [f"http://{host}:{port}"]
    found = [f"http://127.0.0.1:{port}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # A datagram socket sends nothing on connect; it only picks the interface.
            probe.connect(("192.0.2.1", 9))
            found.append(f"http://{probe.getsockname()[0]}:{port}")
        except OSError:
            pass
    return found


def main() -> int:
    host, text = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8501"
    if not (text.isdecimal() and 0 < int(text) < 65536):
        print(f"PORT must be a number from 1 to 65535, not {text!r}.", file=sys.stderr)
        return 2
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(text)))
        except OSError as error:
            print(
                f"The site cannot listen on {host}:{text} ({error.strerror or error}). "
                "Is it running already? Another port: make demo PORT=8502",
                file=sys.stderr,
            )
            return 1
    print(
        "The site is at", " and ".join(addresses(host, int(text))), "(Ctrl+C stops it).", flush=True
    )
    if host == "0.0.0.0":
        print("Everyone who reaches this machine over the network can use it.", flush=True)
    # Headless: otherwise the first start of Streamlit on a machine waits for an email address.
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    command += ["--server.address", host, "--server.port", text, "--server.headless", "true"]
    command += ["--browser.gatherUsageStats", "false"]
    # glibc gives each thread a heap of its own, and what one frees is of no use to another: the server
    # would keep much of what a class has uploaded. One heap for all must be chosen before the start.
    os.execve(sys.executable, command, {"MALLOC_ARENA_MAX": "1", **os.environ})


if __name__ == "__main__":
    sys.exit(main())
