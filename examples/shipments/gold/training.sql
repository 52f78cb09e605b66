-- What is known 30 days before the scheduled day, and nothing later: the record of a country,
-- a vendor and a project counts only deliveries that were scheduled before and on record by then.
WITH past AS (
  SELECT id, late, country, vendor, project, scheduled_on, recorded_on FROM deliveries
),
country_record AS (
  SELECT d.id, count(p.id) AS n, coalesce(sum(p.late::INT), 0) AS late
  FROM deliveries AS d LEFT JOIN past AS p ON p.country = d.country
    AND p.scheduled_on < d.scheduled_on AND p.recorded_on < d.scheduled_on - INTERVAL 30 DAY
  GROUP BY d.id
),
vendor_record AS (
  SELECT d.id, count(p.id) AS n, coalesce(sum(p.late::INT), 0) AS late
  FROM deliveries AS d LEFT JOIN past AS p ON p.vendor = d.vendor
    AND p.scheduled_on < d.scheduled_on AND p.recorded_on < d.scheduled_on - INTERVAL 30 DAY
  GROUP BY d.id
),
project_record AS (
  SELECT d.id, count(p.id) AS n, coalesce(sum(p.late::INT), 0) AS late
  FROM deliveries AS d LEFT JOIN past AS p ON p.project = d.project
    AND p.scheduled_on < d.scheduled_on AND p.recorded_on < d.scheduled_on - INTERVAL 30 DAY
  GROUP BY d.id
),
size AS (
  SELECT shipment, count(*) AS lines FROM deliveries GROUP BY shipment
)
SELECT
  d.country, d.managed_by, d.fulfilled_via, d.inco_term, d.mode, d.product_group,
  d.product_class, d.vendor, d.molecule, d.brand, d.form, d.site, d.first_line,
  d.quantity, d.value_usd, d.pack_price_usd, d.unit_price_usd, d.weight_kg,
  date_diff('day', d.ordered_on, d.scheduled_on) AS days_from_order,
  date_diff('day', d.quoted_on, d.scheduled_on) AS days_from_quote,
  month(d.scheduled_on) AS month, isodow(d.scheduled_on) AS weekday,
  day(d.scheduled_on) AS day_of_month,
  size.lines AS lines_in_shipment,
  -- five deliveries of average lateness stand for what is not known of a newcomer
  (c.late + 0.55) / (c.n + 5) AS country_late_before,
  (v.late + 0.55) / (v.n + 5) AS vendor_late_before,
  (p.late + 0.55) / (p.n + 5) AS project_late_before,
  d.scheduled_on,
  d.late
FROM deliveries AS d
JOIN country_record AS c ON c.id = d.id
JOIN vendor_record AS v ON v.id = d.id
JOIN project_record AS p ON p.id = d.id
JOIN size ON size.shipment = d.shipment
ORDER BY d.id
