"""A Lambda executor for LocalStack that needs no Docker: one process per execution environment.

LocalStack finds it by the entry point in entry_points.txt and uses it when
LAMBDA_RUNTIME_EXECUTOR=process. The process is $TRIALNOTARY_LAMBDA_INIT (package
localstack/init), started in the unzipped code, told by environment where to call back
(LOCALSTACK_RUNTIME_ENDPOINT, _ID) and on which port to expect invocations.

It also keeps a rule that is disabled from firing, as on AWS: LocalStack 4.14.0 goes on.
"""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

from localstack import config
from localstack.services.events.models import events_stores
from localstack.services.events.target import TargetSender
from localstack.services.lambda_.invocation.executor_endpoint import ExecutorEndpoint
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.utils.net import get_free_tcp_port


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id, function_version):
        super().__init__(id=id, function_version=function_version)
        self.endpoint = ExecutorEndpoint(id, self.get_address(), get_free_tcp_port())
        self.process = None
        self.log = None

    def start(self, env_vars):
        code = str(self.function_version.config.code.get_unzipped_code_location())
        own = {
            "LAMBDA_TASK_ROOT": code,
            "TRIALNOTARY_INVOKE_ADDRESS": f"{self.get_address()}:{self.endpoint.container_port}",
            "PATH": os.environ.get("PATH", ""),
            "TMPDIR": tempfile.gettempdir(),
        }
        env = {k: str(v) for k, v in {**env_vars, **own}.items()}
        name = self.function_version.id.function_name
        self.log = Path(os.environ["TRIALNOTARY_LAMBDA_LOGS"]) / f"{name}-{self.id}.log"
        self.endpoint.start()
        with self.log.open("wb") as log:
            # A session of its own, so that stop ends the init and the function it runs.
            self.process = subprocess.Popen(
                [os.environ["TRIALNOTARY_LAMBDA_INIT"]], cwd=code, env=env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )
        self.endpoint.wait_for_startup()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.endpoint.shutdown()

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}{self.endpoint.get_endpoint_prefix()}"

    def invoke(self, payload):
        return self.endpoint.invoke(payload)

    def get_logs(self):
        return self.log.read_text(errors="replace") if self.log and self.log.exists() else ""

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass


def process_event(self, event, trace_header, original=TargetSender.process_event):
    arn = self.rule_arn.split(":")  # arn:aws:events:<region>:<account>:rule/<name>
    bus = events_stores[arn[4]][arn[3]].event_buses.get("default")
    rule = bus.rules.get(arn[5].removeprefix("rule/")) if bus else None
    if rule is None or rule.state != "DISABLED":
        original(self, event, trace_header)


TargetSender.process_event = process_event


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        return ProcessExecutor
