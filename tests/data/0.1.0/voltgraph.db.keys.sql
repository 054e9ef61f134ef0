BEGIN TRANSACTION;
CREATE TABLE api_key (
	prefix VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	organization_id VARCHAR NOT NULL, 
	user_id VARCHAR, 
	email VARCHAR, 
	projects TEXT, 
	read_only BOOLEAN NOT NULL, 
	created_at VARCHAR NOT NULL, 
	revoked_at VARCHAR, 
	PRIMARY KEY (prefix)
);
INSERT INTO "api_key" VALUES('vg_d286f66e1154','2a4c5f4aa964fc9d5a69c1da60268c827eed0470bb1432bf99f0a8d9314c1512','local','ada',NULL,NULL,0,'2026-11-29T17:27:29.032224Z',NULL);
COMMIT;
