"""Make one successful call in a new interpreter: `python first_call.py CLIENT URL`.

After the response has arrived, the script prints how many seconds the imports took, how many
seconds the client and the call took, the CPU seconds since the process began, the peak memory in
KiB, and the number of loaded modules.  The script imports only modules that the client imports
anyway.
"""

import sys
from time import perf_counter, process_time

_, name, url = sys.argv
start = perf_counter()
client = __import__(name)
imported = perf_counter()
if hasattr(client, "connect"):
    assert client.connect(url)()
else:
    __import__("on_asyncio").run_once(client, url)
answered, cpu = perf_counter(), process_time()
with open("/proc/self/status") as status:  # noqa: PTH123 (pathlib is not everyone's import)
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
print(imported - start, answered - imported, cpu, peak, len(sys.modules), flush=True)
