"""REST API by Ionworks' contract."""

from collections import defaultdict

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.rest import errors
from app.rest.jobs import jobs, plots
from app.rest.measurements.cells import instances, specifications
from app.rest.measurements.endpoints import measurements, of_cells
from app.rest.measurements.transfers import transfers
from app.rest.pipelines import router
from app.rest.users import users


def install(app: FastAPI) -> None:
    """Add the REST API and its error handlers to an application."""
    errors.install(app)
    app.state.methods = defaultdict(set)
    for each in (router, jobs, plots, users, specifications, instances, of_cells, measurements, transfers):
        app.include_router(each)
        for route in each.routes:
            if isinstance(route, APIRoute):
                app.state.methods[route.path] |= route.methods
