"""Everything a person looks at: report, gallery, charts, map, templates and their style."""
