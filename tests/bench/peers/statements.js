// What both databases are asked alike.
exports.ONE = 'SELECT * FROM pipeline WHERE id = ?';
exports.PAGE = 'SELECT * FROM pipeline WHERE project_id = ? ORDER BY created_at DESC, id DESC LIMIT ?';
exports.INSERT_PIPELINE = `INSERT INTO pipeline
  (id, organization_id, project_id, name, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;
exports.INSERT_ELEMENT = `INSERT INTO pipeline_element
  (id, pipeline_id, organization_id, name, element_order, element_type, status, created_at, updated_at, job_config)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
exports.RENAME = 'UPDATE pipeline SET name = ?, updated_at = ? WHERE id = ? RETURNING *';
