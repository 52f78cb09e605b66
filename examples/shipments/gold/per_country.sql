SELECT
  country,
  date_trunc('month', scheduled_on)::DATE AS month,
  count(*) AS deliveries,
  sum(late::INT) AS late,
  sum(value_usd) AS value_usd
FROM deliveries
GROUP BY country, date_trunc('month', scheduled_on)::DATE
