DROP INDEX services_category;
ALTER TABLE services DROP COLUMN details;
ALTER TABLE services DROP COLUMN pay_pricing_plan;
ALTER TABLE services DROP COLUMN pay_deposit;
ALTER TABLE services DROP COLUMN sort_order;
ALTER TABLE services DROP COLUMN hidden;
ALTER TABLE services DROP COLUMN category_id;
DROP TABLE service_slugs;
DROP TABLE categories;
