--
-- PostgreSQL database dump
--

\restrict 4cAalEJmQgsSc6KVbJS9VUuRmOivMjNwYkYJF10BYqP0Q6JkMdcbbStRHfGhtvM

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: dbos; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA dbos;


--
-- Name: enqueue_workflow(text, text, json[], json, text, text, text, text, bigint, bigint, text, integer, text, text, text, bigint, text); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.enqueue_workflow(workflow_name text, queue_name text, positional_args json[] DEFAULT ARRAY[]::json[], named_args json DEFAULT '{}'::json, class_name text DEFAULT NULL::text, config_name text DEFAULT NULL::text, workflow_id text DEFAULT NULL::text, app_version text DEFAULT NULL::text, timeout_ms bigint DEFAULT NULL::bigint, deadline_epoch_ms bigint DEFAULT NULL::bigint, deduplication_id text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, queue_partition_key text DEFAULT NULL::text, authenticated_user text DEFAULT NULL::text, authenticated_roles text DEFAULT NULL::text, delay_until_epoch_ms bigint DEFAULT NULL::bigint, application_name text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_workflow_id TEXT;
    v_serialized_inputs TEXT;
    v_owner_xid TEXT;
    v_now BIGINT;
    v_recovery_attempts INT4 := 0;
    v_priority INT4;
    v_status TEXT;
BEGIN

    -- Validate required parameters
    IF workflow_name IS NULL OR workflow_name = '' THEN
        RAISE EXCEPTION 'Workflow name cannot be null or empty';
    END IF;
    IF queue_name IS NULL OR queue_name = '' THEN
        RAISE EXCEPTION 'Queue name cannot be null or empty';
    END IF;
    IF named_args IS NOT NULL AND jsonb_typeof(named_args::jsonb) != 'object' THEN
        RAISE EXCEPTION 'Named args must be a JSON object';
    END IF;
    IF workflow_id IS NOT NULL AND workflow_id = '' THEN
        RAISE EXCEPTION 'Workflow ID cannot be an empty string if provided.';
    END IF;
    IF delay_until_epoch_ms IS NOT NULL AND delay_until_epoch_ms < 0 THEN
        RAISE EXCEPTION 'delay_until_epoch_ms must be >= 0';
    END IF;

    v_workflow_id := COALESCE(workflow_id, gen_random_uuid()::TEXT);
    v_owner_xid := gen_random_uuid()::TEXT;
    v_priority := COALESCE(priority, 0);
    v_serialized_inputs := json_build_object(
        'positionalArgs', positional_args,
        'namedArgs', named_args
    )::TEXT;
    v_now := EXTRACT(epoch FROM now()) * 1000;
    v_status := CASE WHEN delay_until_epoch_ms IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END;

    INSERT INTO "dbos".workflow_status (
        workflow_uuid, status,
        name, class_name, config_name,
        queue_name, deduplication_id, priority, queue_partition_key,
        application_version,
        created_at, updated_at, recovery_attempts,
        workflow_timeout_ms, workflow_deadline_epoch_ms,
        parent_workflow_id, owner_xid, serialization,
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    ) VALUES (
        v_workflow_id, v_status,
        workflow_name, class_name, config_name,
        queue_name, deduplication_id, v_priority, queue_partition_key,
        app_version,
        v_now, v_now, v_recovery_attempts,
        timeout_ms, deadline_epoch_ms,
        NULL, v_owner_xid, 'portable_json',
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    )
    ON CONFLICT (workflow_uuid)
    DO UPDATE SET
        updated_at = EXCLUDED.updated_at;

    INSERT INTO "dbos".workflow_input (
        workflow_uuid, inputs, retention_timestamp
    ) VALUES (
        v_workflow_id, v_serialized_inputs, v_now
    )
    ON CONFLICT (workflow_uuid) DO NOTHING;

    RETURN v_workflow_id;

EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'DBOS queue duplicated'
            USING DETAIL = format('Workflow %s with queue %s and deduplication ID %s already exists', v_workflow_id, queue_name, deduplication_id),
                ERRCODE = 'unique_violation';
END;
$$;


--
-- Name: send_message(text, json, text, text); Type: FUNCTION; Schema: dbos; Owner: -
--

CREATE FUNCTION dbos.send_message(destination_id text, message json, topic text DEFAULT NULL::text, message_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_topic TEXT := COALESCE(topic, '__null__topic__');
    v_message_id TEXT := COALESCE(message_id, gen_random_uuid()::TEXT);
BEGIN
    INSERT INTO "dbos".notifications (
        destination_uuid, topic, message, message_uuid, serialization
    ) VALUES (
        destination_id, v_topic, message, v_message_id, 'portable_json'
    )
    ON CONFLICT (message_uuid) DO NOTHING;
EXCEPTION
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'DBOS non-existent workflow'
            USING DETAIL = format('Destination workflow %s does not exist', destination_id),
                ERRCODE = 'foreign_key_violation';
END;
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: application_versions; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.application_versions (
    version_id text NOT NULL,
    version_name text NOT NULL,
    version_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text
);


--
-- Name: dbos_migrations; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.dbos_migrations (
    version bigint NOT NULL
);


--
-- Name: event_dispatch_kv; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.event_dispatch_kv (
    service_name text NOT NULL,
    workflow_fn_name text NOT NULL,
    key text NOT NULL,
    value text,
    update_seq numeric(38,0),
    update_time numeric(38,15)
);


--
-- Name: notifications; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.notifications (
    message_uuid text DEFAULT gen_random_uuid() NOT NULL,
    destination_uuid text NOT NULL,
    topic text,
    message text NOT NULL,
    created_at_epoch_ms bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    serialization text,
    consumed boolean DEFAULT false NOT NULL,
    consumed_by_function_id integer
);


--
-- Name: operation_outputs; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.operation_outputs (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    function_name text DEFAULT ''::text NOT NULL,
    output text,
    error text,
    child_workflow_id text,
    started_at_epoch_ms bigint,
    completed_at_epoch_ms bigint,
    serialization text,
    application_name text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: queues; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.queues (
    queue_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    concurrency integer,
    worker_concurrency integer,
    rate_limit_max integer,
    rate_limit_period_sec double precision,
    priority_enabled boolean DEFAULT false NOT NULL,
    partition_queue boolean DEFAULT false NOT NULL,
    polling_interval_sec double precision DEFAULT 1.0 NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text,
    partition_concurrency integer,
    partition_worker_concurrency integer,
    partition_rate_limit_max integer,
    partition_rate_limit_period_sec double precision
);


--
-- Name: streams; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.streams (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    "offset" integer NOT NULL,
    function_id integer DEFAULT 0 NOT NULL,
    serialization text
);


--
-- Name: workflow_events; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_events (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);


--
-- Name: workflow_events_history; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_events_history (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);


--
-- Name: workflow_input; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_input (
    workflow_uuid text NOT NULL,
    inputs text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: workflow_output; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_output (
    workflow_uuid text NOT NULL,
    output text,
    error text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);


--
-- Name: workflow_schedules; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_schedules (
    schedule_id text NOT NULL,
    schedule_name text NOT NULL,
    workflow_name text NOT NULL,
    workflow_class_name text,
    schedule text NOT NULL,
    status text DEFAULT 'ACTIVE'::text NOT NULL,
    context text NOT NULL,
    last_fired_at text,
    automatic_backfill boolean DEFAULT false NOT NULL,
    cron_timezone text,
    queue_name text,
    application_name text
);


--
-- Name: workflow_status; Type: TABLE; Schema: dbos; Owner: -
--

CREATE TABLE dbos.workflow_status (
    workflow_uuid text NOT NULL,
    status text,
    name text,
    authenticated_user text,
    assumed_role text,
    authenticated_roles text,
    request text,
    output text,
    error text,
    executor_id text,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_version text,
    application_id text,
    class_name character varying(255) DEFAULT NULL::character varying,
    config_name character varying(255) DEFAULT NULL::character varying,
    recovery_attempts bigint DEFAULT 0,
    queue_name text,
    workflow_timeout_ms bigint,
    workflow_deadline_epoch_ms bigint,
    inputs text,
    started_at_epoch_ms bigint,
    deduplication_id text,
    priority integer DEFAULT 0 NOT NULL,
    queue_partition_key text,
    forked_from text,
    owner_xid text,
    parent_workflow_id text,
    serialization text,
    delay_until_epoch_ms bigint,
    was_forked_from boolean DEFAULT false NOT NULL,
    rate_limited boolean DEFAULT false NOT NULL,
    completed_at bigint,
    attributes jsonb,
    schedule_name text,
    debounce_deadline_epoch_ms bigint,
    is_debounced boolean DEFAULT false NOT NULL,
    application_name text,
    creator_xid text
);


--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: api_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_key (
    prefix character varying NOT NULL COLLATE pg_catalog."C",
    digest character varying NOT NULL COLLATE pg_catalog."C",
    organization_id character varying NOT NULL COLLATE pg_catalog."C",
    user_id character varying COLLATE pg_catalog."C",
    email character varying COLLATE pg_catalog."C",
    projects text,
    read_only boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);


--
-- Name: checkpoint; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.checkpoint (
    element_id character varying NOT NULL COLLATE pg_catalog."C",
    number integer NOT NULL,
    at timestamp with time zone NOT NULL,
    iteration integer,
    cost double precision,
    best_cost double precision,
    parameters json NOT NULL
);


--
-- Name: idempotency_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency_key (
    organization_id character varying NOT NULL COLLATE pg_catalog."C",
    key character varying NOT NULL COLLATE pg_catalog."C",
    fingerprint character varying NOT NULL,
    pipeline_id character varying NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL
);


--
-- Name: pipeline; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pipeline (
    id character varying NOT NULL COLLATE pg_catalog."C",
    organization_id character varying NOT NULL COLLATE pg_catalog."C",
    project_id character varying NOT NULL COLLATE pg_catalog."C",
    user_id character varying COLLATE pg_catalog."C",
    created_by_email character varying COLLATE pg_catalog."C",
    name character varying NOT NULL COLLATE pg_catalog."C",
    folded_name character varying NOT NULL COLLATE pg_catalog."C",
    description character varying COLLATE pg_catalog."C",
    live_progress_updates boolean,
    status character varying NOT NULL COLLATE pg_catalog."C",
    error text,
    error_code character varying COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    worker_id character varying COLLATE pg_catalog."C",
    attempt integer NOT NULL
);


--
-- Name: pipeline_element; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pipeline_element (
    id character varying NOT NULL COLLATE pg_catalog."C",
    pipeline_id character varying NOT NULL COLLATE pg_catalog."C",
    organization_id character varying NOT NULL COLLATE pg_catalog."C",
    name character varying NOT NULL COLLATE pg_catalog."C",
    element_order integer NOT NULL,
    element_type character varying NOT NULL COLLATE pg_catalog."C",
    status character varying NOT NULL COLLATE pg_catalog."C",
    job_id character varying COLLATE pg_catalog."C",
    job_status character varying COLLATE pg_catalog."C",
    error text,
    error_code character varying COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    attempt integer NOT NULL,
    error_detail json,
    result json,
    job_config json NOT NULL
);


--
-- Name: pulse; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pulse (
    id integer NOT NULL,
    at timestamp with time zone NOT NULL
);


--
-- Name: pulse_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.pulse_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: pulse_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.pulse_id_seq OWNED BY public.pulse.id;


--
-- Name: series_channel; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.series_channel (
    element_id character varying NOT NULL COLLATE pg_catalog."C",
    objective character varying NOT NULL COLLATE pg_catalog."C",
    source character varying NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL,
    series_number integer NOT NULL,
    name character varying NOT NULL COLLATE pg_catalog."C",
    samples bytea NOT NULL
);
ALTER TABLE ONLY public.series_channel ALTER COLUMN samples SET STORAGE EXTERNAL;


--
-- Name: worker; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.worker (
    id character varying NOT NULL COLLATE pg_catalog."C",
    heartbeat_at timestamp with time zone NOT NULL
);


--
-- Name: pulse id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pulse ALTER COLUMN id SET DEFAULT nextval('public.pulse_id_seq'::regclass);


--
-- Data for Name: application_versions; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.application_versions (version_id, version_name, version_timestamp, created_at, application_name) FROM stdin;
ba996fb9-2f97-4dfb-956c-ca6f52e8f5a3	1	1795973338305	1795973338305	voltgraph
\.


--
-- Data for Name: dbos_migrations; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.dbos_migrations (version) FROM stdin;
125
\.


--
-- Data for Name: event_dispatch_kv; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.event_dispatch_kv (service_name, workflow_fn_name, key, value, update_seq, update_time) FROM stdin;
\.


--
-- Data for Name: notifications; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.notifications (message_uuid, destination_uuid, topic, message, created_at_epoch_ms, serialization, consumed, consumed_by_function_id) FROM stdin;
\.


--
-- Data for Name: operation_outputs; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.operation_outputs (workflow_uuid, function_id, function_name, output, error, child_workflow_id, started_at_epoch_ms, completed_at_epoch_ms, serialization, application_name, retention_timestamp) FROM stdin;
\.


--
-- Data for Name: queues; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.queues (queue_id, name, concurrency, worker_concurrency, rate_limit_max, rate_limit_period_sec, priority_enabled, partition_queue, polling_interval_sec, created_at, updated_at, application_name, partition_concurrency, partition_worker_concurrency, partition_rate_limit_max, partition_rate_limit_period_sec) FROM stdin;
9c0b70b6-da09-4ba2-aad5-0eb70496a5e5	pipelines	\N	2	\N	\N	t	f	0.2	1795973338508	1795973338500	voltgraph	\N	\N	\N	\N
\.


--
-- Data for Name: streams; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.streams (workflow_uuid, key, value, "offset", function_id, serialization) FROM stdin;
\.


--
-- Data for Name: workflow_events; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_events (workflow_uuid, key, value, serialization) FROM stdin;
\.


--
-- Data for Name: workflow_events_history; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_events_history (workflow_uuid, function_id, key, value, serialization) FROM stdin;
\.


--
-- Data for Name: workflow_input; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_input (workflow_uuid, inputs, retention_timestamp) FROM stdin;
01a2285a-6909-7794-9fbc-4466169a66b8	{"namedArgs":{},"positionalArgs":["01a2285a-6909-7794-9fbc-4466169a66b8"]}	1795973343902
01a2285a-6b24-7060-af60-19f07ff89b81	{"namedArgs":{},"positionalArgs":["01a2285a-6b24-7060-af60-19f07ff89b81"]}	1795973344269
01a2285a-6da4-774c-910d-525d9ea9a593	{"namedArgs":{},"positionalArgs":["01a2285a-6da4-774c-910d-525d9ea9a593"]}	1795973345068
01a2285a-7026-7663-a45f-0d9f9e06cda6	{"namedArgs":{},"positionalArgs":["01a2285a-7026-7663-a45f-0d9f9e06cda6"]}	1795973345771
01a2285a-72ee-7676-8332-8f688cd24509	{"namedArgs":{},"positionalArgs":["01a2285a-72ee-7676-8332-8f688cd24509"]}	1795973346365
\.


--
-- Data for Name: workflow_output; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_output (workflow_uuid, output, error, retention_timestamp) FROM stdin;
01a2285a-6909-7794-9fbc-4466169a66b8	null	\N	1795973345506
01a2285a-6b24-7060-af60-19f07ff89b81	null	\N	1795973345610
\.


--
-- Data for Name: workflow_schedules; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, workflow_class_name, schedule, status, context, last_fired_at, automatic_backfill, cron_timezone, queue_name, application_name) FROM stdin;
\.


--
-- Data for Name: workflow_status; Type: TABLE DATA; Schema: dbos; Owner: -
--

COPY dbos.workflow_status (workflow_uuid, status, name, authenticated_user, assumed_role, authenticated_roles, request, output, error, executor_id, created_at, updated_at, application_version, application_id, class_name, config_name, recovery_attempts, queue_name, workflow_timeout_ms, workflow_deadline_epoch_ms, inputs, started_at_epoch_ms, deduplication_id, priority, queue_partition_key, forked_from, owner_xid, parent_workflow_id, serialization, delay_until_epoch_ms, was_forked_from, rate_limited, completed_at, attributes, schedule_name, debounce_deadline_epoch_ms, is_debounced, application_name, creator_xid) FROM stdin;
01a2285a-6909-7794-9fbc-4466169a66b8	SUCCESS	run_pipeline	\N	\N	\N	\N	\N	\N	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1795973343902	1795973345506	1	\N	\N	\N	1	pipelines	\N	\N	\N	1795973344132	\N	0	\N	\N	\N	\N	portable_json	\N	f	f	1795973345506	null	\N	\N	f	voltgraph	2912c0cd-4e95-437b-ab64-b535f531d44e
01a2285a-6b24-7060-af60-19f07ff89b81	SUCCESS	run_pipeline	\N	\N	\N	\N	\N	\N	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1795973344269	1795973345610	1	\N	\N	\N	1	pipelines	\N	\N	\N	1795973344500	\N	0	\N	\N	\N	\N	portable_json	\N	f	f	1795973345610	null	\N	\N	f	voltgraph	2bd0c035-532c-4085-b747-a99d30a2ae0b
01a2285a-6da4-774c-910d-525d9ea9a593	PENDING	run_pipeline	\N	\N	\N	\N	\N	\N	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1795973345068	1795973345713	1	\N	\N	\N	1	pipelines	\N	\N	\N	1795973345713	\N	0	\N	\N	1711a373-6986-46fc-8fea-2e00f42ae527	\N	portable_json	\N	f	f	\N	null	\N	\N	f	voltgraph	e6df486b-aaf2-4da2-9fab-565349abaa81
01a2285a-7026-7663-a45f-0d9f9e06cda6	PENDING	run_pipeline	\N	\N	\N	\N	\N	\N	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1795973345771	1795973346025	1	\N	\N	\N	1	pipelines	\N	\N	\N	1795973346025	\N	0	\N	\N	b2f98ec4-6b13-42d9-aebd-c535a5fcbcd7	\N	portable_json	\N	f	f	\N	null	\N	\N	f	voltgraph	0b05617b-3ea6-4593-9a5c-03d2369d9864
01a2285a-72ee-7676-8332-8f688cd24509	ENQUEUED	run_pipeline	\N	\N	\N	\N	\N	\N	\N	1795973346365	1795973346365	1	\N	\N	\N	0	pipelines	\N	\N	\N	\N	\N	0	\N	\N	\N	\N	portable_json	\N	f	f	\N	null	\N	\N	f	voltgraph	ee68afeb-3f7d-4a10-89ff-3231cc90c3ca
\.


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.alembic_version (version_num) FROM stdin;
0004
\.


--
-- Data for Name: api_key; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.api_key (prefix, digest, organization_id, user_id, email, projects, read_only, created_at, revoked_at) FROM stdin;
vg_9ff31392f7d8	ca8fa926eb22b51f20061e056e0a9b6da5c6041aeca4110267d4fb5381e220c5	local	ada	\N	\N	f	2026-11-29 17:28:30.534472+00	\N
\.


--
-- Data for Name: checkpoint; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.checkpoint (element_id, number, at, iteration, cost, best_cost, parameters) FROM stdin;
\.


--
-- Data for Name: idempotency_key; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.idempotency_key (organization_id, key, fingerprint, pipeline_id, created_at) FROM stdin;
local	again	dc73db6f252822da88d1d4e5d04c3d2fb04f7d8960a9555774851b6dba0186b1	01a2285a-6509-71f2-8227-5ac36222cc8f	2026-11-29 17:29:02.473275+00
local	k1-0	5763a8c2cf2126c787963c9d360facd7832edfda9ac39487bc4ae9dcbda74f59	01a2285a-6909-7794-9fbc-4466169a66b8	2026-11-29 17:29:03.497099+00
local	k1-1	b59b984a2bb5067741b09f8d7035f6495a75fe140bc035fe7ae3b37e647793a5	01a2285a-6b24-7060-af60-19f07ff89b81	2026-11-29 17:29:04.036899+00
local	k1-2	afa781a7781bf5c9974e95e2069849ab6c97ac51bd38f4b7e17de962506d2a67	01a2285a-6da4-774c-910d-525d9ea9a593	2026-11-29 17:29:04.676687+00
local	k1-3	1a9e66d75b9f3cbd3f8ccdf5c2ccaafb2bd9d9c90cb2e530f5652db8ac01a34b	01a2285a-7026-7663-a45f-0d9f9e06cda6	2026-11-29 17:29:05.318139+00
local	k1-4	83dc0c6aaeffaed28b72e2524eb21c52b3dc52ee42f98bca09e7faa07c8e2848	01a2285a-72ee-7676-8332-8f688cd24509	2026-11-29 17:29:06.030107+00
\.


--
-- Data for Name: pipeline; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.pipeline (id, organization_id, project_id, user_id, created_by_email, name, folded_name, description, live_progress_updates, status, error, error_code, created_at, updated_at, started_at, finished_at, worker_id, attempt) FROM stdin;
01a2285a-6509-71f2-8227-5ac36222cc8f	local	cells	ada	\N	Cell 1	cell 1	\N	\N	PENDING	\N	\N	2026-11-29 17:29:02.473275+00	2026-11-29 17:29:02.473275+00	\N	\N	\N	0
01a2285a-6909-7794-9fbc-4466169a66b8	local	cells	ada	\N	L0	l0	\N	\N	COMPLETED	\N	\N	2026-11-29 17:29:03.497099+00	2026-11-29 17:29:05.292476+00	2026-11-29 17:29:03.698096+00	2026-11-29 17:29:05.292476+00	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1
01a2285a-6b24-7060-af60-19f07ff89b81	local	cells	ada	\N	L1	l1	\N	\N	COMPLETED	\N	\N	2026-11-29 17:29:04.036899+00	2026-11-29 17:29:05.559126+00	2026-11-29 17:29:04.225895+00	2026-11-29 17:29:05.559126+00	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1
01a2285a-7026-7663-a45f-0d9f9e06cda6	local	cells	ada	\N	L3	l3	\N	\N	RUNNING	\N	\N	2026-11-29 17:29:05.318139+00	2026-11-29 17:29:06.30806+00	2026-11-29 17:29:05.721092+00	\N	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1
01a2285a-72ee-7676-8332-8f688cd24509	local	cells	ada	\N	L4	l4	\N	\N	RUNNING	\N	\N	2026-11-29 17:29:06.030107+00	2026-11-29 17:29:06.342514+00	2026-11-29 17:29:06.342514+00	\N	\N	0
01a2285a-6da4-774c-910d-525d9ea9a593	local	cells	ada	\N	L2	l2	\N	\N	RUNNING	\N	\N	2026-11-29 17:29:04.676687+00	2026-11-29 17:29:06.501385+00	2026-11-29 17:29:04.985941+00	\N	vm-01a2285a-445c-7470-b912-8473eaabe2c6	1
\.


--
-- Data for Name: pipeline_element; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.pipeline_element (id, pipeline_id, organization_id, name, element_order, element_type, status, job_id, job_status, error, error_code, created_at, updated_at, started_at, finished_at, attempt, error_detail, result, job_config) FROM stdin;
01a2285a-6509-71f2-8227-5ac4bd950eb4	01a2285a-6509-71f2-8227-5ac36222cc8f	local	datasheet	1	DIRECT_ENTRY	PENDING	\N	\N	\N	\N	2026-11-29 17:29:02.473275+00	2026-11-29 17:29:02.473275+00	\N	\N	0	\N	\N	{"element_type":"entry","values":{"Electrode area [m2]":0.1027,"Positive electrode thickness [m]":0.0000756,"Positive electrode active material volume fraction":0.665,"Maximum concentration in positive electrode [mol.m-3]":63104}}
01a2285a-6509-71f2-8227-5ac5e218accc	01a2285a-6509-71f2-8227-5ac36222cc8f	local	capacity	2	CALCULATION	PENDING	\N	\N	\N	\N	2026-11-29 17:29:02.473275+00	2026-11-29 17:29:02.473275+00	\N	\N	0	\N	\N	{"element_type":"calculation","type":"ElectrodeCapacity","electrode":"positive","use_stoich_window":false}
01a2285a-6909-7794-9fbc-44672e3dd8a5	01a2285a-6909-7794-9fbc-4466169a66b8	local	a	1	DATA_FIT	COMPLETED	01a2285a-69f0-749c-b5f5-3c7e29dce23b	COMPLETED	\N	\N	2026-11-29 17:29:03.497099+00	2026-11-29 17:29:05.1996+00	2026-11-29 17:29:04.676742+00	2026-11-29 17:29:05.199583+00	1	\N	{"type":"PassthroughResult","parameter_values":{"y":2}}	{"fake":{"seconds":0.3},"values":{"y":2}}
01a2285a-6b25-75d3-b6f9-bd7a85bdaf24	01a2285a-6b24-7060-af60-19f07ff89b81	local	a	1	DATA_FIT	COMPLETED	01a2285a-6bea-75fb-b649-eef8786f75a4	COMPLETED	\N	\N	2026-11-29 17:29:04.036899+00	2026-11-29 17:29:05.46162+00	2026-11-29 17:29:04.919348+00	2026-11-29 17:29:05.461589+00	1	\N	{"type":"PassthroughResult","parameter_values":{"y":2}}	{"fake":{"seconds":0.3},"values":{"y":2}}
01a2285a-7026-7663-a45f-0da0928df378	01a2285a-7026-7663-a45f-0d9f9e06cda6	local	a	1	DATA_FIT	RUNNING	01a2285a-71c5-751b-b6db-d1e3efc6e129	RUNNING	\N	\N	2026-11-29 17:29:05.318139+00	2026-11-29 17:29:06.308029+00	2026-11-29 17:29:06.308021+00	\N	1	\N	\N	{"fake":{"seconds":0.3},"values":{"y":2}}
01a2285a-72ee-7676-8332-8f69fe017419	01a2285a-72ee-7676-8332-8f688cd24509	local	a	1	DATA_FIT	PENDING	01a2285a-742d-722d-975c-a4179b5dff0a	PENDING	\N	\N	2026-11-29 17:29:06.030107+00	2026-11-29 17:29:06.342514+00	\N	\N	0	\N	\N	{"fake":{"seconds":0.3},"values":{"y":2}}
01a2285a-6da4-774c-910d-525e0f5ee3ed	01a2285a-6da4-774c-910d-525d9ea9a593	local	a	1	DATA_FIT	COMPLETED	01a2285a-6ee9-7490-b96b-3d8768c7c765	COMPLETED	\N	\N	2026-11-29 17:29:04.676687+00	2026-11-29 17:29:06.501353+00	2026-11-29 17:29:05.890217+00	2026-11-29 17:29:06.501343+00	1	\N	{"type":"PassthroughResult","parameter_values":{"y":2}}	{"fake":{"seconds":0.3},"values":{"y":2}}
\.


--
-- Data for Name: pulse; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.pulse (id, at) FROM stdin;
1	2026-11-29 17:28:49.917601+00
\.


--
-- Data for Name: series_channel; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.series_channel (element_id, objective, source, "position", series_number, name, samples) FROM stdin;
\.


--
-- Data for Name: worker; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.worker (id, heartbeat_at) FROM stdin;
vm-01a2285a-445c-7470-b912-8473eaabe2c6	2026-11-29 17:29:04.938924+00
\.


--
-- Name: pulse_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.pulse_id_seq', 1, false);


--
-- Name: application_versions application_versions_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_pkey PRIMARY KEY (version_id);


--
-- Name: application_versions application_versions_version_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_version_name_key UNIQUE (version_name);


--
-- Name: dbos_migrations dbos_migrations_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.dbos_migrations
    ADD CONSTRAINT dbos_migrations_pkey PRIMARY KEY (version);


--
-- Name: event_dispatch_kv event_dispatch_kv_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.event_dispatch_kv
    ADD CONSTRAINT event_dispatch_kv_pkey PRIMARY KEY (service_name, workflow_fn_name, key);


--
-- Name: notifications notifications_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (message_uuid);


--
-- Name: operation_outputs operation_outputs_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.operation_outputs
    ADD CONSTRAINT operation_outputs_pkey PRIMARY KEY (workflow_uuid, function_id);


--
-- Name: queues queues_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_name_key UNIQUE (name);


--
-- Name: queues queues_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (queue_id);


--
-- Name: streams streams_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (workflow_uuid, key, "offset");


--
-- Name: workflow_events_history workflow_events_history_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_pkey PRIMARY KEY (workflow_uuid, function_id, key);


--
-- Name: workflow_events workflow_events_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_pkey PRIMARY KEY (workflow_uuid, key);


--
-- Name: workflow_input workflow_input_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_input
    ADD CONSTRAINT workflow_input_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: workflow_output workflow_output_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_output
    ADD CONSTRAINT workflow_output_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: workflow_schedules workflow_schedules_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_pkey PRIMARY KEY (schedule_id);


--
-- Name: workflow_schedules workflow_schedules_schedule_name_key; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_schedule_name_key UNIQUE (schedule_name);


--
-- Name: workflow_status workflow_status_pkey; Type: CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_status
    ADD CONSTRAINT workflow_status_pkey PRIMARY KEY (workflow_uuid);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: api_key api_key_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (prefix);


--
-- Name: checkpoint checkpoint_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (element_id, number);


--
-- Name: idempotency_key idempotency_key_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (organization_id, key);


--
-- Name: pipeline_element pipeline_element_pipeline_id_element_order_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pipeline_element
    ADD CONSTRAINT pipeline_element_pipeline_id_element_order_key UNIQUE (pipeline_id, element_order);


--
-- Name: pipeline_element pipeline_element_pipeline_id_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pipeline_element
    ADD CONSTRAINT pipeline_element_pipeline_id_name_key UNIQUE (pipeline_id, name);


--
-- Name: pipeline_element pipeline_element_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pipeline_element
    ADD CONSTRAINT pipeline_element_pkey PRIMARY KEY (id);


--
-- Name: pipeline pipeline_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pipeline
    ADD CONSTRAINT pipeline_pkey PRIMARY KEY (id);


--
-- Name: pulse pulse_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pulse
    ADD CONSTRAINT pulse_pkey PRIMARY KEY (id);


--
-- Name: series_channel series_channel_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.series_channel
    ADD CONSTRAINT series_channel_pkey PRIMARY KEY (element_id, objective, source, "position");


--
-- Name: worker worker_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (id);


--
-- Name: idx_application_versions_owner_timestamp; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_application_versions_owner_timestamp ON dbos.application_versions USING btree (application_name, version_timestamp DESC);


--
-- Name: idx_application_versions_timestamp; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_application_versions_timestamp ON dbos.application_versions USING btree (version_timestamp DESC);


--
-- Name: idx_operation_outputs_completed_at_function_name_v2; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_operation_outputs_completed_at_function_name_v2 ON dbos.operation_outputs USING btree (completed_at_epoch_ms, function_name) INCLUDE (application_name);


--
-- Name: idx_operation_outputs_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_operation_outputs_retention ON dbos.operation_outputs USING btree (retention_timestamp);


--
-- Name: idx_workflow_input_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_input_retention ON dbos.workflow_input USING btree (retention_timestamp);


--
-- Name: idx_workflow_output_retention; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_output_retention ON dbos.workflow_output USING btree (retention_timestamp);


--
-- Name: idx_workflow_status_attributes; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_attributes ON dbos.workflow_status USING gin (attributes) WHERE (attributes IS NOT NULL);


--
-- Name: idx_workflow_status_completed_at; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_completed_at ON dbos.workflow_status USING btree (completed_at) WHERE (completed_at IS NOT NULL);


--
-- Name: idx_workflow_status_deadline; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_deadline ON dbos.workflow_status USING btree (workflow_deadline_epoch_ms) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text, 'DELAYED'::text])) AND (workflow_deadline_epoch_ms IS NOT NULL));


--
-- Name: idx_workflow_status_delayed; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_delayed ON dbos.workflow_status USING btree (delay_until_epoch_ms) WHERE (status = 'DELAYED'::text);


--
-- Name: idx_workflow_status_failed; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_failed ON dbos.workflow_status USING btree (status, created_at) WHERE (status = ANY (ARRAY['ERROR'::text, 'CANCELLED'::text, 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'::text]));


--
-- Name: idx_workflow_status_forked_from; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_forked_from ON dbos.workflow_status USING btree (forked_from) WHERE (forked_from IS NOT NULL);


--
-- Name: idx_workflow_status_in_flight_v2; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_in_flight_v2 ON dbos.workflow_status USING btree (queue_name, status, priority, created_at) INCLUDE (application_name) WHERE (status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text]));


--
-- Name: idx_workflow_status_parent_workflow_id; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_parent_workflow_id ON dbos.workflow_status USING btree (parent_workflow_id) WHERE (parent_workflow_id IS NOT NULL);


--
-- Name: idx_workflow_status_partition_dequeue_v3; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_partition_dequeue_v3 ON dbos.workflow_status USING btree (queue_name, status, queue_partition_key, priority, created_at, workflow_uuid) INCLUDE (application_name) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text])) AND (queue_partition_key IS NOT NULL));


--
-- Name: idx_workflow_status_pending; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_pending ON dbos.workflow_status USING btree (created_at) WHERE (status = 'PENDING'::text);


--
-- Name: idx_workflow_status_rate_limited; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_rate_limited ON dbos.workflow_status USING btree (queue_name, started_at_epoch_ms) WHERE (rate_limited = true);


--
-- Name: idx_workflow_status_schedule_name; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_schedule_name ON dbos.workflow_status USING btree (schedule_name) WHERE (schedule_name IS NOT NULL);


--
-- Name: idx_workflow_status_started_at; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_status_started_at ON dbos.workflow_status USING btree (started_at_epoch_ms) WHERE (started_at_epoch_ms IS NOT NULL);


--
-- Name: idx_workflow_topic; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX idx_workflow_topic ON dbos.notifications USING btree (destination_uuid, topic);


--
-- Name: uq_application_versions_owner_version; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_application_versions_owner_version ON dbos.application_versions USING btree (application_name, version_name) WHERE (application_name IS NOT NULL);


--
-- Name: uq_application_versions_unclaimed_version; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_application_versions_unclaimed_version ON dbos.application_versions USING btree (version_name) WHERE (application_name IS NULL);


--
-- Name: uq_workflow_status_dedup_id; Type: INDEX; Schema: dbos; Owner: -
--

CREATE UNIQUE INDEX uq_workflow_status_dedup_id ON dbos.workflow_status USING btree (queue_name, deduplication_id) WHERE (deduplication_id IS NOT NULL);


--
-- Name: workflow_status_created_at_index; Type: INDEX; Schema: dbos; Owner: -
--

CREATE INDEX workflow_status_created_at_index ON dbos.workflow_status USING btree (created_at);


--
-- Name: pipeline_at_work; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pipeline_at_work ON public.pipeline USING btree (started_at) WHERE ((status)::text = 'RUNNING'::text);


--
-- Name: pipeline_by_creation; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pipeline_by_creation ON public.pipeline USING btree (organization_id, created_at, id);


--
-- Name: pipeline_by_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pipeline_by_name ON public.pipeline USING btree (organization_id, name, id);


--
-- Name: pipeline_by_project; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pipeline_by_project ON public.pipeline USING btree (organization_id, project_id, created_at, id);


--
-- Name: pipeline_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pipeline_by_status ON public.pipeline USING btree (organization_id, status, created_at, id);


--
-- Name: pipeline_by_update; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pipeline_by_update ON public.pipeline USING btree (organization_id, updated_at, id);


--
-- Name: pipeline_element_by_job; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX pipeline_element_by_job ON public.pipeline_element USING btree (job_id) WHERE (job_id IS NOT NULL);


--
-- Name: notifications notifications_destination_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_destination_uuid_fkey FOREIGN KEY (destination_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: streams streams_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: workflow_events_history workflow_events_history_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: workflow_events workflow_events_workflow_uuid_fkey; Type: FK CONSTRAINT; Schema: dbos; Owner: -
--

ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: checkpoint checkpoint_element_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT checkpoint_element_id_fkey FOREIGN KEY (element_id) REFERENCES public.pipeline_element(id) ON DELETE CASCADE;


--
-- Name: pipeline_element pipeline_element_pipeline_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pipeline_element
    ADD CONSTRAINT pipeline_element_pipeline_id_fkey FOREIGN KEY (pipeline_id) REFERENCES public.pipeline(id) ON DELETE CASCADE;


--
-- Name: series_channel series_channel_element_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.series_channel
    ADD CONSTRAINT series_channel_element_id_fkey FOREIGN KEY (element_id) REFERENCES public.pipeline_element(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--

\unrestrict 4cAalEJmQgsSc6KVbJS9VUuRmOivMjNwYkYJF10BYqP0Q6JkMdcbbStRHfGhtvM

