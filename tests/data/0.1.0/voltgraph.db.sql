BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE checkpoint (
	element_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	iteration INTEGER, 
	cost FLOAT, 
	best_cost FLOAT, 
	parameters TEXT NOT NULL, 
	PRIMARY KEY (element_id, number), 
	FOREIGN KEY(element_id) REFERENCES pipeline_element (id) ON DELETE CASCADE
);
INSERT INTO "checkpoint" VALUES('01a22859-30f5-754f-b8f4-6bb3ebe5053b',1,'2026-11-29T17:27:45.663907Z',4,0.25,0.25,'{"x":4}');
INSERT INTO "checkpoint" VALUES('01a22859-30f5-754f-b8f4-6bb3ebe5053b',2,'2026-11-29T17:27:46.696949Z',15,6.66666666666666657414e-02,6.66666666666666657414e-02,'{"x":15}');
INSERT INTO "checkpoint" VALUES('01a22859-30f5-754f-b8f4-6bb3ebe5053b',3,'2026-11-29T17:27:47.725692Z',25,0.04,0.04,'{"x":25}');
INSERT INTO "checkpoint" VALUES('01a22859-30f5-754f-b8f4-6bb3ebe5053b',4,'2026-11-29T17:27:48.286783Z',30,3.33333333333333328707e-02,3.33333333333333328707e-02,'{"x":30}');
CREATE TABLE idempotency_key (
	organization_id VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	pipeline_id VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (organization_id, "key")
);
INSERT INTO "idempotency_key" VALUES('local','again','dc73db6f252822da88d1d4e5d04c3d2fb04f7d8960a9555774851b6dba0186b1','01a22859-3039-723b-ade9-7d0838fac8cf','2026-11-29T17:27:43.417512Z');
CREATE TABLE pipeline (
	id VARCHAR NOT NULL, 
	organization_id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	user_id VARCHAR, 
	created_by_email VARCHAR, 
	name VARCHAR NOT NULL, 
	folded_name VARCHAR NOT NULL, 
	description VARCHAR, 
	live_progress_updates BOOLEAN, 
	status VARCHAR NOT NULL, 
	error TEXT, 
	error_code VARCHAR, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	started_at VARCHAR, 
	finished_at VARCHAR, 
	worker_id VARCHAR, 
	attempt INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "pipeline" VALUES('01a22858-6593-719b-83c2-fed3de459416','local','cells',NULL,NULL,'Cell 1','cell 1',NULL,NULL,'COMPLETED',NULL,NULL,'2026-11-29T17:26:51.538987Z','2026-11-29T17:27:07.763147Z','2026-11-29T17:26:51.621757Z','2026-11-29T17:27:07.763147Z','local',1);
INSERT INTO "pipeline" VALUES('01a22859-3039-723b-ade9-7d0838fac8cf','local','cells','ada',NULL,'Cell 1','cell 1',NULL,NULL,'PENDING',NULL,NULL,'2026-11-29T17:27:43.417512Z','2026-11-29T17:27:43.417512Z',NULL,NULL,NULL,0);
INSERT INTO "pipeline" VALUES('01a22859-30f5-754f-b8f4-6bb2bdb107e2','local','cells','ada',NULL,'Fit','fit',NULL,NULL,'RUNNING',NULL,NULL,'2026-11-29T17:27:43.605123Z','2026-11-29T17:27:48.299024Z','2026-11-29T17:27:43.788487Z',NULL,'local',1);
CREATE TABLE pipeline_element (
	id VARCHAR NOT NULL, 
	pipeline_id VARCHAR NOT NULL, 
	organization_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	element_order INTEGER NOT NULL, 
	element_type VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	job_id VARCHAR, 
	job_status VARCHAR, 
	error TEXT, 
	error_code VARCHAR, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	started_at VARCHAR, 
	finished_at VARCHAR, 
	attempt INTEGER NOT NULL, 
	error_detail TEXT, 
	result TEXT, 
	job_config TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (pipeline_id, element_order), 
	UNIQUE (pipeline_id, name), 
	FOREIGN KEY(pipeline_id) REFERENCES pipeline (id) ON DELETE CASCADE
);
INSERT INTO "pipeline_element" VALUES('01a22858-6593-719b-83c2-fed411d038b9','01a22858-6593-719b-83c2-fed3de459416','local','datasheet',1,'DIRECT_ENTRY','COMPLETED','01a22858-65ea-7016-81bc-244877b31dda','COMPLETED',NULL,NULL,'2026-11-29T17:26:51.538987Z','2026-11-29T17:27:07.495011Z','2026-11-29T17:27:07.366652Z','2026-11-29T17:27:07.494996Z',1,NULL,'{"type":"PassthroughResult","parameter_values":{"Electrode area [m2]":0.1027,"Positive electrode thickness [m]":0.0000756,"Positive electrode active material volume fraction":0.665,"Maximum concentration in positive electrode [mol.m-3]":63104},"effective_config":{"element_type":"entry"},"versions":{"pybamm":"26.10.1.1","ionworks-schema":"0.33.0","numpy":"2.4.6","scipy":"1.17.1","cma":"4.5.0"}}','{"element_type":"entry","values":{"Electrode area [m2]":0.1027,"Positive electrode thickness [m]":0.0000756,"Positive electrode active material volume fraction":0.665,"Maximum concentration in positive electrode [mol.m-3]":63104}}');
INSERT INTO "pipeline_element" VALUES('01a22858-6593-719b-83c2-fed5ae313088','01a22858-6593-719b-83c2-fed3de459416','local','capacity',2,'CALCULATION','COMPLETED','01a22858-65ea-7016-81bc-2449a3e93f78','COMPLETED',NULL,NULL,'2026-11-29T17:26:51.538987Z','2026-11-29T17:27:07.741101Z','2026-11-29T17:27:07.503871Z','2026-11-29T17:27:07.741094Z',1,NULL,'{"type":"PassthroughResult","parameter_values":{"Positive electrode capacity [A.h]":8.732318520612468},"effective_config":{"element_type":"calculation","type":"ElectrodeCapacity","electrode":"positive","use_stoich_window":false,"method":"auto","phase":""},"versions":{"pybamm":"26.10.1.1","ionworks-schema":"0.33.0","numpy":"2.4.6","scipy":"1.17.1","cma":"4.5.0"}}','{"element_type":"calculation","type":"ElectrodeCapacity","electrode":"positive","use_stoich_window":false}');
INSERT INTO "pipeline_element" VALUES('01a22859-3039-723b-ade9-7d09202a9405','01a22859-3039-723b-ade9-7d0838fac8cf','local','datasheet',1,'DIRECT_ENTRY','PENDING',NULL,NULL,NULL,NULL,'2026-11-29T17:27:43.417512Z','2026-11-29T17:27:43.417512Z',NULL,NULL,0,NULL,NULL,'{"element_type":"entry","values":{"Electrode area [m2]":0.1027,"Positive electrode thickness [m]":0.0000756,"Positive electrode active material volume fraction":0.665,"Maximum concentration in positive electrode [mol.m-3]":63104}}');
INSERT INTO "pipeline_element" VALUES('01a22859-3039-723b-ade9-7d0ace8deaaa','01a22859-3039-723b-ade9-7d0838fac8cf','local','capacity',2,'CALCULATION','PENDING',NULL,NULL,NULL,NULL,'2026-11-29T17:27:43.417512Z','2026-11-29T17:27:43.417512Z',NULL,NULL,0,NULL,NULL,'{"element_type":"calculation","type":"ElectrodeCapacity","electrode":"positive","use_stoich_window":false}');
INSERT INTO "pipeline_element" VALUES('01a22859-30f5-754f-b8f4-6bb3ebe5053b','01a22859-30f5-754f-b8f4-6bb2bdb107e2','local','fit',1,'DATA_FIT','COMPLETED','01a22859-31b0-717c-a643-d56b8da0872d','COMPLETED',NULL,NULL,'2026-11-29T17:27:43.605123Z','2026-11-29T17:27:48.291853Z','2026-11-29T17:27:45.132894Z','2026-11-29T17:27:48.291842Z',1,NULL,'{"type":"PassthroughResult","parameter_values":{"x":1.5}}','{"fake":{"steps":30,"seconds":3},"values":{"x":1.5}}');
INSERT INTO "pipeline_element" VALUES('01a22859-30f5-754f-b8f4-6bb48bbf1146','01a22859-30f5-754f-b8f4-6bb2bdb107e2','local','more',2,'DATA_FIT','RUNNING','01a22859-31b0-717c-a643-d56c04180079','RUNNING',NULL,NULL,'2026-11-29T17:27:43.605123Z','2026-11-29T17:27:48.299004Z','2026-11-29T17:27:48.298999Z',NULL,1,NULL,NULL,'{"fake":{"seconds":1},"values":{"y":2}}');
CREATE TABLE pulse (
	id INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "pulse" VALUES(1,'2026-11-29T17:26:50.480370Z');
CREATE TABLE series_channel (
	element_id VARCHAR NOT NULL, 
	objective VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	series_number INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	samples BLOB NOT NULL, 
	PRIMARY KEY (element_id, objective, source, position), 
	FOREIGN KEY(element_id) REFERENCES pipeline_element (id) ON DELETE CASCADE
);
CREATE TABLE worker (
	id VARCHAR NOT NULL, 
	heartbeat_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX pipeline_by_creation ON pipeline (organization_id, created_at, id);
CREATE INDEX pipeline_by_update ON pipeline (organization_id, updated_at, id);
CREATE INDEX pipeline_by_name ON pipeline (organization_id, name, id);
CREATE INDEX pipeline_by_status ON pipeline (organization_id, status, created_at, id);
CREATE INDEX pipeline_by_project ON pipeline (organization_id, project_id, created_at, id);
CREATE INDEX pipeline_at_work ON pipeline (started_at) WHERE status = 'RUNNING';
CREATE UNIQUE INDEX pipeline_element_by_job ON pipeline_element (job_id) WHERE job_id IS NOT NULL;
COMMIT;
