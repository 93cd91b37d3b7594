PRAGMA user_version = 10;
BEGIN TRANSACTION;
CREATE TABLE application (
	id TEXT NOT NULL, 
	content TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "application" VALUES('app','{"id":"app","app_id":"app-id","principal_id":"principal","name":"app","display_name":"An application","template_id":"scim","syncs_all":true,"assignments":[],"owners":[],"tenant":""}');
CREATE TABLE audit (
	number INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	"by" TEXT NOT NULL, 
	activity TEXT NOT NULL, 
	about TEXT NOT NULL, tenant TEXT DEFAULT '' NOT NULL, origin TEXT DEFAULT '' NOT NULL, altered TEXT DEFAULT '[]' NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "audit" VALUES(1,1767254400000000,'eve','start','people','','','[]');
CREATE TABLE cycle (
	number INTEGER NOT NULL, 
	job INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	began INTEGER, 
	content TEXT, 
	records_after INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (job, id), 
	FOREIGN KEY(job) REFERENCES job (number)
);
INSERT INTO "cycle" VALUES(1,1,'c1',1767254400000000,'{"id":"c1","kind":"incremental","began":"2026-01-01T08:00:00Z","ended":"2026-01-01T08:01:00Z","result":"Succeeded","counts":{"imported":7,"imported_deltas":9,"imported_reference_deltas":3,"entitled":5,"entitled_for_provisioning":5,"exports":0,"exported":0,"failed":1,"escrowed":3,"escrowed_references":1,"escrowed_raw":3,"staged":1,"unsettled":3},"error":null,"halt":null,"are_escrows_pruned":false,"is_cut_short":false,"entry_error":"","spent":null}',0);
INSERT INTO "cycle" VALUES(2,1,'c2',1767258000000000,NULL,6);
CREATE TABLE departure (
	job INTEGER NOT NULL, 
	mapping TEXT NOT NULL, 
	anchor TEXT NOT NULL, 
	at INTEGER NOT NULL, 
	PRIMARY KEY (job, mapping, anchor)
)
 WITHOUT ROWID

;
INSERT INTO "departure" VALUES(1,'user to User','eve',1767254400000000);
CREATE TABLE document (
	owner TEXT NOT NULL, 
	name TEXT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (owner, name)
);
INSERT INTO "document" VALUES('people','schema',X'7B7D');
CREATE TABLE image (
	standing INTEGER NOT NULL, 
	shape INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	version TEXT, print INTEGER, 
	PRIMARY KEY (standing)
);
INSERT INTO "image" VALUES(1,2,X'91A5742D616461',NULL,NULL);
INSERT INTO "image" VALUES(7,2,X'91A26731',NULL,NULL);
CREATE TABLE job (
	number INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	definition TEXT NOT NULL, 
	status TEXT NOT NULL, 
	epoch INTEGER DEFAULT '0' NOT NULL, 
	holder TEXT DEFAULT '' NOT NULL, 
	asked TEXT, 
	systems TEXT DEFAULT '{}' NOT NULL, 
	adopted TEXT, 
	policy_hash TEXT, 
	watermark TEXT, 
	is_initial INTEGER DEFAULT '1' NOT NULL, 
	generation INTEGER DEFAULT '0' NOT NULL, 
	faults BLOB, 
	faults_count INTEGER DEFAULT '0' NOT NULL, 
	held TEXT, 
	listed_kinds TEXT DEFAULT '[]' NOT NULL, 
	cycle INTEGER, 
	cycle_kind TEXT, 
	cycle_read INTEGER DEFAULT '0' NOT NULL, 
	cycle_deltas INTEGER DEFAULT '0' NOT NULL, 
	cycle_reference_deltas INTEGER DEFAULT '0' NOT NULL, 
	progress TEXT, due_at INTEGER, 
	PRIMARY KEY (number), 
	UNIQUE (id)
);
INSERT INTO "job" VALUES(1,'people','{"id":"people","name":"people","template_id":"scim","application_id":"app","schedule":"PT2400S","settings":{},"status":{"code":"NotConfigured","schedule_state":"Disabled","successive_failures":0,"successive_unreachable":0,"are_escrows_pruned":false,"has_completed":false,"last":null,"last_successful":null,"last_successful_with_exports":null,"quarantine":null,"steady_state_first":null,"steady_state_last":null,"troubleshooting_code":""}}','{"code":"NotRun","schedule_state":"Active","successive_failures":0,"successive_unreachable":0,"are_escrows_pruned":false,"has_completed":false,"last":{"id":"c1","kind":"incremental","began":"2026-01-01T08:00:00Z","ended":"2026-01-01T08:01:00Z","result":"Succeeded","counts":{"imported":7,"imported_deltas":9,"imported_reference_deltas":3,"entitled":5,"entitled_for_provisioning":5,"exports":0,"exported":0,"failed":1,"escrowed":3,"escrowed_references":1,"escrowed_raw":3,"staged":1,"unsettled":3},"error":null,"halt":null,"are_escrows_pruned":false,"is_cut_short":false,"entry_error":"","spent":null},"last_successful":null,"last_successful_with_exports":null,"quarantine":null,"steady_state_first":null,"steady_state_last":null,"troubleshooting_code":""}',1,'test',NULL,'{"source":{"identity":"people.csv","view":""}}','[["user to User","1"],["group to Group","1"]]','policy','w',0,1,X'9194A475736572A66C696E652033A56E6F206964C0',1,'{"digest":"digest","why":"it shrank","at":"2026-01-01T08:00:00Z","is_approved":false}','["User"]',2,'reconcile',0,0,0,'{"completed_units":1,"total_units":2,"units":"objects","observed_at":"2026-01-01T09:00:00Z"}',1767256800000000);
CREATE TABLE listed (
	number INTEGER NOT NULL, 
	job INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	anchor TEXT NOT NULL, 
	shape INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	version TEXT, 
	PRIMARY KEY (number), 
	UNIQUE (job, kind, anchor)
);
INSERT INTO "listed" VALUES(1,1,'User','t-new',8,X'91A36E6577','v1');
CREATE TABLE listed_answer (
	job INTEGER NOT NULL, 
	"query" TEXT NOT NULL, 
	listed INTEGER NOT NULL, 
	PRIMARY KEY (job, "query", listed)
)
 WITHOUT ROWID

;
INSERT INTO "listed_answer" VALUES(1,'(''User'', ''userName'', ''new'')',1);
CREATE TABLE mapping (
	number INTEGER NOT NULL, 
	job INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	target_kind TEXT NOT NULL, 
	hash TEXT, 
	is_enabled INTEGER NOT NULL, 
	pointing_at_many TEXT NOT NULL, shown TEXT DEFAULT '{}' NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (job, name), 
	FOREIGN KEY(job) REFERENCES job (number)
);
INSERT INTO "mapping" VALUES(1,1,'user to User','User','1',1,'["members"]','{"name":"String one","title":"String one","userName":"String one"}');
INSERT INTO "mapping" VALUES(2,1,'group to Group','Group','1',1,'["members"]','{"name":"String one","title":"String one","userName":"String one"}');
CREATE TABLE mark (
	standing INTEGER NOT NULL, 
	generation INTEGER NOT NULL, 
	PRIMARY KEY (standing)
);
INSERT INTO "mark" VALUES(1,1);
INSERT INTO "mark" VALUES(2,1);
INSERT INTO "mark" VALUES(3,1);
INSERT INTO "mark" VALUES(4,1);
INSERT INTO "mark" VALUES(5,1);
INSERT INTO "mark" VALUES(6,1);
INSERT INTO "mark" VALUES(7,1);
CREATE TABLE meta (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('changes','2');
INSERT INTO "meta" VALUES('mark','af5b0dd4daf5faff221d48eb76beb78c');
CREATE TABLE notice (
            number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            job INTEGER NOT NULL REFERENCES job (number),
            "key" TEXT NOT NULL,
            content TEXT NOT NULL,
            attempts INTEGER DEFAULT 0 NOT NULL,
            sent TEXT DEFAULT '[]' NOT NULL,
            due_at INTEGER,
            UNIQUE (job, "key")
        );
INSERT INTO "notice" VALUES(1,1,'staged c1','{"key":"staged c1","kind":"departuresStaged","at":"2026-01-01T08:01:00Z","reason":"TooManyDeletes","code":"TooManyDeletes","count":1,"expires":null,"whose":"","tenant":""}',0,'[]',0);
CREATE TABLE record (
	position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	cycle INTEGER NOT NULL, 
	mapping TEXT NOT NULL, 
	anchor TEXT NOT NULL, 
	at INTEGER NOT NULL, 
	change TEXT NOT NULL, 
	action TEXT NOT NULL, 
	verdict TEXT NOT NULL, 
	code TEXT NOT NULL, 
	is_export_due INTEGER NOT NULL, 
	is_exported INTEGER NOT NULL, 
	is_entitled INTEGER NOT NULL, 
	is_effectively_entitled INTEGER NOT NULL, 
	target TEXT, 
	source_name TEXT NOT NULL, 
	target_name TEXT NOT NULL, 
	content BLOB NOT NULL, 
	FOREIGN KEY(cycle) REFERENCES cycle (number)
);
INSERT INTO "record" VALUES(1,1,'user to User','ada',1767254400000000,'c1/ada','update','success','',0,0,1,1,NULL,'Name of ada','',X'9B0C09A9636F6E6669726D6564A093C3C3C3A0C090C2C0A0');
INSERT INTO "record" VALUES(2,1,'user to User','cyd',1767254400000000,'c1/cyd','update','failure','',0,0,1,1,NULL,'Name of cyd','',X'9B0C09A9636F6E6669726D6564A093C3C3C3A0C090C2C0A0');
INSERT INTO "record" VALUES(3,1,'user to User','dot',1767254400000000,'c1/dot','update','success','',0,0,1,1,NULL,'Name of dot','',X'9B0C09A9636F6E6669726D6564A093C3C3C3A0C090C2C0A0');
INSERT INTO "record" VALUES(4,1,'user to User','eve',1767254400000000,'c1/eve','update','success','',0,0,1,1,NULL,'Name of eve','',X'9B0C09A9636F6E6669726D6564A093C3C3C3A0C090C2C0A0');
INSERT INTO "record" VALUES(5,1,'group to Group','team',1767254400000000,'c1/team','update','success','',0,0,1,1,NULL,'Name of team','',X'9B0C09A9636F6E6669726D6564A093C3C3C3A0C090C2C0A0');
INSERT INTO "record" VALUES(6,1,'group to Group','team',1767254400000000,'c1/team','update','success','',0,0,1,1,NULL,'Name of team','',X'9B0C09A9636F6E6669726D6564A093C3C3C3A0C0929401A76D656D626572739192A455736572A5742D616461909400A161C092A16201C2C0A0');
INSERT INTO "record" VALUES(7,2,'user to User','ada',1767254400000000,'c2/ada','update','success','',0,0,1,1,NULL,'Name of ada','',X'9B0C09A9636F6E6669726D6564A093C3C3C3A0C090C2C0A0');
CREATE TABLE reference (
	standing INTEGER NOT NULL, 
	attribute TEXT NOT NULL, 
	is_single INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	anchor TEXT NOT NULL, 
	job INTEGER NOT NULL, 
	PRIMARY KEY (standing, attribute, is_single, kind, anchor)
)
 WITHOUT ROWID

;
INSERT INTO "reference" VALUES(7,'members',0,'user','ada',1);
INSERT INTO "reference" VALUES(1,'manager',1,'user','ben',1);
INSERT INTO "reference" VALUES(7,'members',0,'user','dot',1);
CREATE TABLE removal (
            job INTEGER NOT NULL, mapping TEXT NOT NULL, anchor TEXT NOT NULL,
            kind TEXT NOT NULL, target TEXT NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY (job, mapping, anchor, kind, target)
        ) WITHOUT ROWID
        ;
CREATE TABLE secret (
	owner TEXT NOT NULL, 
	name TEXT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (owner, name)
);
INSERT INTO "secret" VALUES('app','token',X'7365616C6564');
CREATE TABLE shape (
	number INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (content)
);
INSERT INTO "shape" VALUES(1,X'92A47573657291A46E616D65');
INSERT INTO "shape" VALUES(2,X'92A091A8757365724E616D65');
INSERT INTO "shape" VALUES(3,X'92A47573657294A4626F726EAB646973706C61794E616D65A76D616E61676572A570686F746F');
INSERT INTO "shape" VALUES(4,X'92A47573657291AB646973706C61794E616D65');
INSERT INTO "shape" VALUES(5,X'92A47573657293A561746F6D73AB646973706C61794E616D65A56D61696C73');
INSERT INTO "shape" VALUES(6,X'92A567726F757091A76D656D62657273');
INSERT INTO "shape" VALUES(7,X'92A091A76D656D62657273');
INSERT INTO "shape" VALUES(8,X'92A45573657291A8757365724E616D65');
CREATE TABLE source (
	standing INTEGER NOT NULL, 
	shape INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	version TEXT, 
	PRIMARY KEY (standing)
);
INSERT INTO "source" VALUES(1,3,X'94C71202313736373235343430303030303030302030A3416461C70901343A7573657262656EC40100',NULL);
INSERT INTO "source" VALUES(2,4,X'91A342656E',NULL);
INSERT INTO "source" VALUES(3,4,X'91A3437964',NULL);
INSERT INTO "source" VALUES(4,1,X'91A3646F74',NULL);
INSERT INTO "source" VALUES(5,1,X'91A3657665',NULL);
INSERT INTO "source" VALUES(6,5,X'93C71F0331303030303030303030303030303030303030303030303030303030303030A446C3A17992A3614078A3624078',NULL);
INSERT INTO "source" VALUES(7,6,X'9192C70901343A75736572616461C70901343A75736572646F74',NULL);
CREATE TABLE span (
	standing INTEGER NOT NULL, 
	attribute TEXT NOT NULL, 
	content BLOB NOT NULL, 
	possible INTEGER NOT NULL, 
	PRIMARY KEY (standing, attribute)
)
 WITHOUT ROWID

;
INSERT INTO "span" VALUES(7,'7',X'92909192A455736572A5742D616461',1);
CREATE TABLE standing (
	number INTEGER NOT NULL, 
	mapping INTEGER NOT NULL, 
	anchor TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	print BLOB NOT NULL, 
	absence TEXT, 
	absent_since INTEGER, 
	is_assigned INTEGER DEFAULT '1' NOT NULL, 
	seen INTEGER NOT NULL, 
	settled INTEGER DEFAULT '0' NOT NULL, 
	due_at INTEGER, 
	target TEXT, 
	state TEXT, 
	is_created_by_us INTEGER DEFAULT '0' NOT NULL, 
	attempt BLOB, 
	escrow BLOB, 
	staged_at INTEGER, 
	staged_seen INTEGER, 
	staged_approved INTEGER, 
	references_seen INTEGER DEFAULT '1' NOT NULL, 
	references_settled INTEGER DEFAULT '0' NOT NULL, 
	references_due_at INTEGER, 
	has_references INTEGER NOT NULL, 
	spans INTEGER DEFAULT '0' NOT NULL, 
	references_escrow BLOB, 
	references_staged_at INTEGER, 
	references_staged_seen INTEGER, 
	references_staged_approved INTEGER, echoes BLOB, 
	PRIMARY KEY (number), 
	UNIQUE (mapping, anchor), 
	FOREIGN KEY(mapping) REFERENCES mapping (number)
);
INSERT INTO "standing" VALUES(1,1,'ada','user',X'7EEAAF7B17C6E5B86994B41088018DA0',NULL,NULL,1,3,3,NULL,'t-ada','managed',0,NULL,NULL,NULL,NULL,NULL,3,0,0,1,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "standing" VALUES(2,1,'ben','user',X'7378709A8579464EBD09850AD48735D0',NULL,NULL,1,1,0,0,NULL,NULL,0,X'9193A455736572A8757365724E616D65A562656E4078',NULL,NULL,NULL,NULL,1,0,NULL,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "standing" VALUES(3,1,'cyd','user',X'7753879168A7EBB282979C03DA0F6C95',NULL,NULL,1,1,1,1767258000000000,NULL,NULL,0,NULL,X'95A754696D656F7574A96E6F20616E73776572CF0006474EFABD600001CF0006474FD1510400',NULL,NULL,NULL,1,0,NULL,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "standing" VALUES(4,1,'dot','user',X'A289A94C10AA5E2F68447B572AD3BBA2','absent',1767254400000000,1,3,1,0,'t-dot','managed',0,NULL,NULL,1767254400000000,2,0,2,0,NULL,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "standing" VALUES(5,1,'eve','user',X'3B8E839F4C036C65AD3149235FC0CAB4',NULL,NULL,1,2,1,0,'t-eve','managed',0,NULL,NULL,NULL,NULL,NULL,2,0,NULL,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "standing" VALUES(6,1,'fay','user',X'A22E32BF44EFE4D6B0995DF533E13F39',NULL,NULL,1,1,0,0,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,1,0,NULL,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "standing" VALUES(7,2,'team','group',X'60CE26AA3E9D5A9C40B187AC6EE4CC21',NULL,NULL,1,1,1,NULL,'g1','managed',0,NULL,NULL,NULL,NULL,NULL,2,2,1767258000000000,1,1,X'95A754696D656F7574A96E6F20616E73776572CF0006474EFABD600001CF0006474FD1510400',NULL,NULL,NULL,NULL);
CREATE INDEX reference_referred ON reference (job, kind, anchor, standing);
CREATE UNIQUE INDEX standing_target ON standing (mapping, target) WHERE target IS NOT NULL;
CREATE INDEX standing_absent ON standing (mapping, absent_since) WHERE absence = 'absent';
CREATE INDEX standing_due ON standing (mapping, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX standing_references_staged ON standing (mapping) WHERE references_staged_at IS NOT NULL;
CREATE INDEX standing_references_due ON standing (mapping, references_due_at) WHERE references_due_at IS NOT NULL;
CREATE INDEX standing_staged ON standing (mapping) WHERE staged_at IS NOT NULL;
CREATE INDEX notice_due ON notice (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX standing_attempt ON standing (mapping) WHERE attempt IS NOT NULL;
CREATE INDEX job_due ON job (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX record_anchor ON record (anchor);
CREATE INDEX record_target ON record (target) WHERE target IS NOT NULL;
CREATE INDEX record_code ON record (code) WHERE code <> '';
CREATE INDEX cycle_began ON cycle (began);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('record',7);
INSERT INTO "sqlite_sequence" VALUES('notice',1);
COMMIT;
