"""What stands behind sacct: slurmdbd and its database."""

import os
import socket
import subprocess

from tests.slurm.daemons import Daemon, answers
from tests.slurm.packages import Unavailable, program
from tests.slurm.slurm_conf import HOST, Layout, slurmdbd_conf


class Accounting:
    """slurmdbd and mariadbd.

    The database listens on nothing but a socket in a folder that only this user may enter; it
    needs no password. Its files are not flushed to the disk: they go when the cluster goes.
    """

    def __init__(self, layout: Layout, environment: dict[str, str]) -> None:
        self.layout = layout
        self.data = layout.run / "database"
        self.database_socket = layout.run / "database.sock"
        self.database = Daemon(
            ["mariadbd", *self._options(), f"--socket={self.database_socket}"]
            + ["--skip-networking", "--skip-grant-tables", "--skip-log-bin"]
            + ["--performance-schema=0", "--innodb-buffer-pool-size=32M"]
            # slurmdbd complains at less: it may wait long for a row while archiving
            + ["--innodb-lock-wait-timeout=900"],
            layout.logs / "mariadbd.log",
            environment,
        )
        self.server = Daemon(
            ["slurmdbd", "-D"],
            layout.logs / "slurmdbd.log",
            # the only way to tell SLURM's plugin where the socket of "localhost" lies
            {**environment, "MYSQL_UNIX_PORT": str(self.database_socket)},
        )

    def start(self) -> None:
        """Create the database and wait until slurmdbd serves.

        Raises:
            Unavailable: a program ended, or does not answer in time.
        """
        self._create()
        self.database.start()
        self.database.wait_until(self._database_answers, 30)
        conf = self.layout.conf.with_name("slurmdbd.conf")
        conf.write_text(slurmdbd_conf(self.layout))
        conf.chmod(0o600)  # else slurmdbd refuses it
        self.server.start()
        address = (HOST, self.layout.accounting_port)
        self.server.wait_until(lambda: answers(socket.AF_INET, address), 30)

    def kill(self) -> None:
        """End both at once."""
        self.server.kill()
        self.database.kill()

    def _create(self) -> None:
        words = [program("mariadb-install-db") or "mariadb-install-db", *self._options()]
        log = self.layout.logs / "mariadb-install-db.log"
        with log.open("wb") as out:
            done = subprocess.run(
                [*words, "--skip-test-db", "--auth-root-authentication-method=normal"],
                stdout=out,
                stderr=out,
            )
        if done.returncode:
            raise Unavailable(f"mariadb-install-db failed, see {log}")

    def _options(self) -> list[str]:
        options = ["--no-defaults", f"--datadir={self.data}", "--innodb-log-file-size=4M"]
        options += [
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--sync-frm=0",
        ]
        return [*options, "--user=root"] if os.geteuid() == 0 else options

    def _database_answers(self) -> bool:
        return self.database_socket.exists() and answers(socket.AF_UNIX, str(self.database_socket))
