"""Jupyter kernels speak to the tests through files, not ports: two processes at once could take the same port."""

import tempfile
import uuid
from pathlib import Path

from jupyter_client.manager import KernelManager

_with_ports = KernelManager.__init__


def _with_files(self, *args, **settings):
    # short names: a socket's path holds some hundred letters
    file = Path(tempfile.gettempdir(), f"kernel-{uuid.uuid4()}.json")
    _with_ports(self, *args, **{"transport": "ipc", "connection_file": str(file)} | settings)


KernelManager.__init__ = _with_files
