-- One line of an order as it was delivered: numbers as numbers, references followed.
-- "See DN-304 (ID#:10589)" says that the weight (or freight) stands in the line with that ID.
SELECT
  s."ID" AS id,
  s."Project Code" AS project,
  s."ASN/DN #" AS shipment,
  s."Country" AS country,
  s."Managed By" AS managed_by,
  s."Fulfill Via" AS fulfilled_via,
  s."Vendor INCO Term" AS inco_term,
  s."Shipment Mode" AS mode,
  s."Product Group" AS product_group,
  s."Sub Classification" AS product_class,
  s."Vendor" AS vendor,
  s."Molecule/Test Type" AS molecule,
  s."Brand" AS brand,
  s."Dosage Form" AS form,
  s."Manufacturing Site" AS site,
  s."First Line Designation" AS first_line,
  s."Line Item Quantity" AS quantity,
  s."Line Item Value" AS value_usd,
  s."Pack Price" AS pack_price_usd,
  s."Unit Price" AS unit_price_usd,
  s."PQ First Sent to Client Date" AS quoted_on,
  s."PO Sent to Vendor Date" AS ordered_on,
  s."Scheduled Delivery Date" AS scheduled_on,
  s."Delivered to Client Date" AS delivered_on,
  s."Delivery Recorded Date" AS recorded_on,
  coalesce(try_cast(s."Weight (Kilograms)" AS DOUBLE),
           try_cast(w."Weight (Kilograms)" AS DOUBLE)) AS weight_kg,
  CASE WHEN s."Weight (Kilograms)" LIKE 'See %' THEN coalesce(w."ID"::VARCHAR, 'not found') END
    AS weight_stands_in,
  coalesce(try_cast(s."Freight Cost (USD)" AS DOUBLE),
           try_cast(f."Freight Cost (USD)" AS DOUBLE)) AS freight_usd,
  CASE WHEN s."Freight Cost (USD)" LIKE 'See %' THEN coalesce(f."ID"::VARCHAR, 'not found') END
    AS freight_stands_in,
  s."Delivered to Client Date" > s."Scheduled Delivery Date" AS late
FROM shipments AS s
LEFT JOIN shipments AS w ON w."ID"::VARCHAR = regexp_extract(s."Weight (Kilograms)", 'ID#:([0-9]+)', 1)
LEFT JOIN shipments AS f ON f."ID"::VARCHAR = regexp_extract(s."Freight Cost (USD)", 'ID#:([0-9]+)', 1)
