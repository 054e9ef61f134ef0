-- The peers' tables: what they read and write of Voltgraph's, with the two indexes that the three works need.
CREATE TABLE pipeline (
  id text PRIMARY KEY, organization_id text NOT NULL, project_id text NOT NULL, name text NOT NULL, folded_name text,
  description text, status text NOT NULL, created_at text NOT NULL, updated_at text NOT NULL, attempt integer
);
CREATE TABLE pipeline_element (
  id text PRIMARY KEY, pipeline_id text NOT NULL, organization_id text NOT NULL, name text NOT NULL,
  element_order integer NOT NULL, element_type text NOT NULL, status text NOT NULL, created_at text NOT NULL,
  updated_at text NOT NULL, attempt integer, job_config text NOT NULL
);
CREATE INDEX pipeline_by_project ON pipeline (project_id, created_at DESC, id DESC);
CREATE INDEX element_of_pipeline ON pipeline_element (pipeline_id, element_order);
