"""The statements of `grown`: what happened is drawn, then written as the engine leaves it."""

from collections.abc import Sequence

# ---------------------------------------------------------------- drawing what happened

DRAW = """
    CREATE UNLOGGED TABLE grow_lines AS
    SELECT DISTINCT ON (drawn.o, drawn.n) drawn.o, drawn.l, drawn.n FROM (
        SELECT d.o, d.l, CASE WHEN d.o >= {first_held} AND d.l = 1 THEN d.n | 1 ELSE d.n END AS n
        FROM (
            SELECT r.o, r.l, COALESCE(u.n, r.even) AS n
            FROM (
                SELECT o, l, {even} % {skus} AS even,
                    CASE WHEN {which} % 10 < 3 THEN {even} % {uci_lines} END AS real
                FROM generate_series(0::bigint, {orders} - 1) AS o, generate_series(1, 3) AS l
            ) AS r LEFT JOIN grow_uci AS u ON u.i = r.real
        ) AS d
    ) AS drawn
    ORDER BY drawn.o, drawn.n, drawn.l
"""
RANDOM = "(hashint8extended(o * 4 + l, {seed}) & 9223372036854775807)"

LINES = """
    CREATE UNLOGGED TABLE grow_sold AS
    SELECT l.o, l.l, l.n, s.sku, s.vendor, s.n % 2 = 0 AS stocked, l.o >= {first_held} AS held
    FROM grow_lines AS l JOIN grow_skus AS s ON s.n = l.n
    ORDER BY l.o, l.l
"""

# One row for each order: bodies and the like, told once and written to several tables.
ORDERS = """
    CREATE UNLOGGED TABLE grow_orders AS
    SELECT w.*, encode(sha256(convert_to(w.body, 'UTF8')), 'hex') AS hash
    FROM (
        SELECT g.*, {source} AS source, {body} AS body,
            '{begin}'::timestamptz + g.o * interval '{step} us' AS placed_at,
            {clock} + g.o / {batch} * {step} * {batch} AS clock,
            g.o % {batch} AS n
        FROM (
            SELECT o, 'G-' || lpad(o::text, 7, '0') AS id, bool_or(held) AS held,
                to_char(('{begin}'::timestamptz + o * interval '{step} us') AT TIME ZONE 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
                count(*) FILTER (WHERE stocked) AS stocked,
                count(*) FILTER (WHERE NOT stocked) AS bought,
                {lines} AS lines, {ready} AS ready, {short} AS short, {came} AS came,
                {told} AS told, {why} AS why, {filled} AS filled, {left} AS left_why
            FROM grow_sold GROUP BY o
        ) AS g
    ) AS w
    ORDER BY w.o
"""
PARTS = {
    "lines": """string_agg(format('{"line_id":"%s","sku":"%s","qty":2,"name":"Article %s",'
        '"unit_price":"12.50"}', l, sku, sku), ',' ORDER BY l)""",
    "ready": """string_agg(format('{"line_id":"%s","sku":"%s","qty":2}', l, sku), ',' ORDER BY l)
        FILTER (WHERE stocked)""",
    "short": """string_agg(format('{"line_id":"%s","sku":"%s","qty":2,"expected_at":null,'
        '"alternatives":[],"notify":false}', l, sku), ',' ORDER BY l) FILTER (WHERE NOT stocked)""",
    "came": """string_agg(format('{"line_id":"%s","sku":"%s","qty":2}', l, sku), ',' ORDER BY l)
        FILTER (WHERE NOT stocked)""",
    "told": """string_agg(format('{"line_id":"%s","qty":2}', l), ',' ORDER BY l)""",
    "why": """string_agg(CASE WHEN stocked THEN format('["%s","O3",{"source":"WH1","qty":2,'
        '"asked":2,"usable":10000000,"waiting":0}]', l) ELSE format('["%s","O3",{"held":2,'
        '"asked":2,"usable":0,"waiting":0}],["%s","R11",{"held":2,"expected_at":null}]', l, l)
        END, ',' ORDER BY l)""",
    "filled": """string_agg(format('["%s","S4",{"source":"WH1","qty":2,"arrived":2,"before":0}]',
        l), ',' ORDER BY l) FILTER (WHERE NOT stocked)""",
    "left": """string_agg(format('["%s","S9",{"source":"WH1","qty":2}]', l), ',' ORDER BY l)""",
    "source": "'/shops/main'",
    "body": """'{"specversion":"1.0","id":"' || g.id || '","source":"/shops/main",'
        || '"type":"OrderPlaced","time":"' || g.at || '","datacontenttype":"application/json",'
        || '"data":{"shop":"main","order_id":"' || g.id || '","placed_at":"' || g.at
        || '","customer":{"email":"someone@example.org","locale":"en"},"lines":[' || g.lines
        || ']}}'""",
}

# What was bought: by vendor and tenth of the time; the last, of what is held, is open.
BOUGHT = """
    CREATE UNLOGGED TABLE grow_bought AS
    SELECT b.*, 'R-' || upper(substr(md5(b.vendor || ' ' || b.round), 1, 12)) AS id
    FROM (
        SELECT vendor, CASE WHEN held THEN {rounds} ELSE o * {rounds} / {first_held} END AS round,
            n, sku, count(*) * {qty} AS qty, min(o) AS first_o
        FROM grow_sold WHERE NOT stocked GROUP BY 1, 2, 3, 4
    ) AS b
    ORDER BY b.vendor, b.round, b.sku
"""
SUPPLY = """
    CREATE UNLOGGED TABLE grow_supply AS
    SELECT s.*, encode(sha256(convert_to(s.received, 'UTF8')), 'hex') AS hash,
        s.raised_at + interval '1 hour' AS finalized_at, s.clock + 1000 AS closed_clock,
        s.round = {rounds} AS open
    FROM (
        SELECT id, vendor, round, sum(qty) AS qty, count(*) AS lines,
            '{begin}'::timestamptz + min(first_o) * interval '{step} us' AS raised_at,
            {clock} + min(first_o) / {batch} * {step} * {batch} AS clock,
            string_agg(format('{{"sku":"%s","qty":%s}}', sku, qty), ',' ORDER BY sku) AS asked,
            '{{"specversion":"1.0","id":"got-' || id || '","source":"/places/WH1",'
                || '"type":"StockReceived","data":{{"receipt_id":"got-' || id
                || '","place":"WH1","replenishment_id":"' || id || '","lines":['
                || string_agg(format('{{"sku":"%s","qty":%s}}', sku, qty), ',' ORDER BY sku)
                || ']}}}}' AS received
        FROM grow_bought GROUP BY id, vendor, round
    ) AS s
"""
COUNTED = """
    CREATE UNLOGGED TABLE grow_counted AS
    SELECT s.n, s.sku, s.vendor,
        COALESCE(sum({qty}) FILTER (WHERE NOT l.held), 0) AS shipped,
        COALESCE(sum({qty}) FILTER (WHERE l.held AND l.stocked), 0) AS allocated,
        COALESCE(sum({qty}) FILTER (WHERE l.held AND NOT l.stocked), 0) AS shortage,
        count(l.o) AS lines
    FROM grow_skus AS s LEFT JOIN grow_sold AS l ON l.n = s.n
    GROUP BY s.n, s.sku, s.vendor
    ORDER BY s.n
"""

# ---------------------------------------------------------------- what the engine leaves of it

FILLS: dict[str, Sequence[str]] = {
    "movements": (
        # What came in bulk and long ago, as many as it takes to make up the number wanted.
        """
        INSERT INTO movements (event_source, event_id, n, event_type, sku, qty, target, outside,
            happened_at, reason, clock)
        SELECT '/places/WH1', 'stock-' || m / 500, m % 500, 'StockReceived', s.sku, {plenty},
            'WH1', 'vendor', '{begin}'::timestamptz - interval '60 days', 'received', {clock} - 1000
        FROM generate_series(0, {bulk} - 1) AS m
        JOIN grow_skus AS s ON s.n = m % ({skus} / 2) * 2
        """,
        """
        INSERT INTO movements (event_source, event_id, n, event_type, sku, qty, target, outside,
            happened_at, reason, clock)
        SELECT '/places/WH1', 'got-' || b.id,
            row_number() OVER (PARTITION BY b.id ORDER BY b.sku) - 1, 'StockReceived', b.sku,
            b.qty, 'WH1', 'vendor', s.finalized_at, 'received', s.closed_clock
        FROM grow_bought AS b JOIN grow_supply AS s ON s.id = b.id WHERE NOT s.open
        """,
        """
        INSERT INTO movements (event_source, event_id, n, event_type, sku, qty, origin, outside,
            happened_at, reason, clock)
        SELECT '/places/WH1', 'left-' || o.id, l.l - 1, 'OrderShipped', l.sku, {qty}, 'WH1',
            'customer', o.placed_at + interval '2 days', 'shipped', o.clock + 2000
        FROM grow_orders AS o JOIN grow_sold AS l ON l.o = o.o WHERE NOT o.held
        """,
    ),
    "order_lines": (
        """
        INSERT INTO order_lines (shop, order_id, line_id, position, sku, ordered, shortage, pending,
            drop_ship, shipped, cancelled, rejected, short, sourced, staff_held, held_since, told,
            name, unit_price, allocated, queued, fillable, linked, unlinked, unreleased,
            destination, priority, placed_at)
        SELECT 'main', o.id, l.l::text, l.l - 1, l.sku, {qty},
            CASE WHEN waits THEN {qty} ELSE 0 END, 0, 0, CASE WHEN l.held THEN 0 ELSE {qty} END,
            0, 0, CASE WHEN l.stocked THEN 0 ELSE {qty} END, 'stock', false,
            CASE WHEN NOT l.stocked THEN o.placed_at END, NOT l.stocked, 'Article ' || l.sku,
            '"12.50"', CASE WHEN l.held AND l.stocked THEN {qty} ELSE 0 END,
            CASE WHEN waits THEN {qty} ELSE 0 END, CASE WHEN waits THEN {qty} ELSE 0 END, 0, 0, 0,
            'WH1', 100, o.placed_at
        FROM grow_orders AS o JOIN grow_sold AS l ON l.o = o.o
        CROSS JOIN LATERAL (SELECT l.held AND NOT l.stocked AS waits) AS w
        ORDER BY o.o, l.l
        """,
    ),
    "inbox": (
        """
        INSERT INTO inbox (source, event_id, type, data_hash, body, received_at, outcome)
        SELECT source, id, 'OrderPlaced', hash, body, placed_at, 'applied'
        FROM grow_orders ORDER BY o
        """,
        """
        INSERT INTO inbox (source, event_id, type, data_hash, body, received_at, outcome)
        SELECT '/places/WH1', 'left-' || id, 'OrderShipped', hash,
            '{{"specversion":"1.0","id":"left-' || id || '","source":"/places/WH1",'
                || '"type":"OrderShipped","time":"' || at || '","data":{{"shop":"main",'
                || '"order_id":"' || id || '","shipment_id":"left-' || id
                || '","source":"WH1","lines":[' || told || ']}}}}',
            placed_at + interval '2 days', 'applied'
        FROM grow_orders WHERE NOT held ORDER BY o
        """,
        """
        INSERT INTO inbox (source, event_id, type, data_hash, body, received_at, outcome)
        SELECT '/places/WH1', 'got-' || id, 'StockReceived', hash, received, finalized_at, 'applied'
        FROM grow_supply WHERE NOT open
        UNION ALL
        SELECT '/purchasing', 'sent-' || id, 'ReplenishmentClosed', hash,
            '{{"specversion":"1.0","id":"sent-' || id || '","source":"/purchasing",'
                || '"type":"ReplenishmentClosed","data":{{"replenishment_id":"' || id || '"}}}}',
            raised_at, 'applied'
        FROM grow_supply WHERE NOT open
        """,
    ),
    "emitted": (
        """
        INSERT INTO emitted (id, type, body, time, event_source, event_id, clock, n)
        SELECT m.uuid, m.type, '{{"specversion":"1.0","id":"' || m.uuid
                || '","source":"/backship","type":"' || m.type || '","subject":"main/' || m.id
                || '","time":"' || m.at || '","datacontenttype":"application/json",'
                || '"dataschema":"urn:backship:' || m.type || ':1","data":{{"shop":"main",'
                || '"order_id":"' || m.id || '",' || m.data || '}}}}',
            m.time, m.source, m.event_id, m.clock, m.n
        FROM (
            SELECT md5('R' || id)::uuid::text AS uuid, 'ReadyToShip' AS type, id, at,
                '"source":"WH1","release_id":"' || md5('A' || id)::uuid || '","lines":[' || ready
                || '],"order_complete":' || (bought = 0)::text AS data,
                placed_at AS time, source, id AS event_id, clock, n * 3 AS n
            FROM grow_orders WHERE stocked > 0
            UNION ALL
            SELECT md5('O' || id)::uuid::text, 'OrderBackordered', id, at,
                '"lines":[' || short || '],"expected_at":null,"customer":'
                || '{{"email":"someone@example.org","locale":"en"}}',
                placed_at, source, id, clock, n * 3 + 1
            FROM grow_orders WHERE bought > 0
            UNION ALL
            SELECT md5('B' || id)::uuid::text, 'BackToShip', id, at,
                '"source":"WH1","release_id":"' || md5('F' || id)::uuid || '","lines":[' || came
                || '],"order_complete":true,"waited_since":"' || at || '"',
                placed_at + interval '1 day', '/places/WH1', 'filled-' || id, clock + 1500, n * 3
            FROM grow_orders WHERE bought > 0 AND NOT held
        ) AS m
        """,
        """
        INSERT INTO emitted (id, type, body, time, event_source, event_id, clock, n)
        SELECT md5('S' || id)::uuid, 'ReplenishmentRaised', '{{"specversion":"1.0","id":"'
                || md5('S' || id)::uuid || '","source":"/backship","type":"ReplenishmentRaised",'
                || '"subject":"' || id || '","data":{{"replenishment_id":"' || id
                || '","vendor":"' || vendor || '","destination":"WH1","revision":1,'
                || '"automatic":true,"lines":[' || asked || ']}}}}',
            raised_at, '/shops/main', 'raised-' || id, clock, 2000
        FROM grow_supply
        """,
        """
        INSERT INTO emitted (id, type, body, time, event_source, event_id, clock, n)
        SELECT md5('X' || id)::uuid, 'ExceptionRaised', '{{"specversion":"1.0","id":"'
                || md5('X' || id)::uuid || '","source":"/backship","type":"ExceptionRaised",'
                || '"subject":"main/' || id || '","data":{{"code":"over_shipment"}}}}',
            placed_at + interval '2 days', '/places/WH1', 'left-' || id, clock + 2000, 2000 + n
        FROM grow_orders WHERE NOT held AND o % {exceptional} = 0
        """,
    ),
    "exceptions": (
        """
        INSERT INTO exceptions (id, code, message, refs, at, clock, n, shop, order_id)
        SELECT md5('X' || id)::uuid, 'over_shipment', 'More was shipped than was wanted.',
            '{{"shop":"main","order_id":"' || id || '","line_id":"1"}}',
            placed_at + interval '2 days', clock + 2000, 2000 + n, 'main', id
        FROM grow_orders WHERE NOT held AND o % {exceptional} = 0
        """,
    ),
    "reasons": (
        """
        INSERT INTO reasons (shop, order_id, clock, n, at, decided, event_source, event_id,
            event_type)
        SELECT 'main', id, clock, n, placed_at, '[' || why || ']', source, id, 'OrderPlaced'
        FROM grow_orders ORDER BY o
        """,
        """
        INSERT INTO reasons (shop, order_id, clock, n, at, decided, event_source, event_id,
            event_type)
        SELECT 'main', id, clock + 1500, n, placed_at + interval '1 day', '[' || filled || ']',
            '/places/WH1', 'filled-' || id, 'StockReceived'
        FROM grow_orders WHERE NOT held AND bought > 0
        UNION ALL
        SELECT 'main', id, clock + 2000, n, placed_at + interval '2 days', '[' || left_why || ']',
            '/places/WH1', 'left-' || id, 'OrderShipped'
        FROM grow_orders WHERE NOT held
        """,
    ),
    "orders": (
        """
        INSERT INTO orders (shop, order_id, placed_at, judged_at, priority, destination, data_hash,
            ship_mode, release, holds, version, version_hash, customer, allocation_count, clock)
        SELECT 'main', id, placed_at, placed_at, 100, 'WH1', hash, 'partial', 'auto', '[]', 0, '',
            '{{"email":"someone@example.org","locale":"en"}}',
            CASE WHEN held THEN stocked ELSE stocked + bought END,
            CASE WHEN held THEN clock ELSE clock + 2000 END
        FROM grow_orders ORDER BY o
        """,
    ),
    "facts": (
        """
        INSERT INTO facts (kind, key, data_hash, event_source, event_id)
        SELECT 'shipment', 'main' || E'\\x1f' || id || E'\\x1f' || 'WH1' || E'\\x1f' || 'left-'
            || id, hash, '/places/WH1', 'left-' || id
        FROM grow_orders WHERE NOT held
        UNION ALL
        SELECT 'receipt', 'WH1' || E'\\x1f' || 'got-' || id, hash, '/places/WH1', 'got-' || id
        FROM grow_supply WHERE NOT open
        UNION ALL
        SELECT 'receipt', 'WH1' || E'\\x1f' || 'stock-' || r, md5(r::text) || md5(r::text),
            '/places/WH1', 'stock-' || r
        FROM generate_series(0, ({bulk} - 1) / 500) AS r
        """,
    ),
    "allocations": (
        """
        INSERT INTO allocations (shop, order_id, line_id, seq, source, qty, by_fill, release_id)
        SELECT 'main', o.id, l.l::text, row_number() OVER (PARTITION BY o.o ORDER BY l.l), 'WH1',
            {qty}, false, md5('A' || o.id)::uuid
        FROM grow_orders AS o JOIN grow_sold AS l ON l.o = o.o WHERE l.held AND l.stocked
        """,
    ),
    "stock": (
        """
        INSERT INTO stock (sku, place, on_hand, allocated, clock)
        SELECT c.sku, 'WH1', CASE WHEN c.n % 2 = 1 THEN 0 ELSE b.times * {plenty} - c.shipped END,
            c.allocated, {end_clock}
        FROM grow_counted AS c
        CROSS JOIN LATERAL (
            SELECT {bulk} / ({skus} / 2)
                + CASE WHEN c.n / 2 < {bulk} % ({skus} / 2) THEN 1 ELSE 0 END AS times
        ) AS b
        WHERE c.n % 2 = 0 OR c.shipped > 0
        """,
    ),
    "demand": (
        """
        INSERT INTO demand (sku, destination, shop, shortage, queued, fillable, clock)
        SELECT sku, 'WH1', 'main', shortage, shortage, shortage, {end_clock}
        FROM grow_counted WHERE n % 2 = 1 AND lines > 0
        """,
    ),
    "items": (
        """
        INSERT INTO items (sku, vendor, alternatives, policy, busy, base_status, clock)
        SELECT sku, vendor, '[]', '{{}}', false, 'backorder', {clock} FROM grow_skus
        """,
    ),
    "item_statuses": (
        """
        INSERT INTO item_statuses (sku, shop, status)
        SELECT sku, 'main', 'in_stock' FROM grow_skus WHERE n % 2 = 0
        """,
    ),
    "replenishments": (
        """
        INSERT INTO replenishments (replenishment_id, vendor, destination, raised_at, state,
            automatic, revision, told_revision, told_total, finalized_at, closed_at, clock)
        SELECT id, vendor, 'WH1', raised_at, CASE WHEN open THEN 'open' ELSE 'received' END, true,
            lines, lines, qty, CASE WHEN NOT open THEN finalized_at END,
            CASE WHEN NOT open THEN finalized_at END, closed_clock
        FROM grow_supply
        """,
    ),
    "replenishment_lines": (
        """
        INSERT INTO replenishment_lines (replenishment_id, sku, qty, manual, linked, picked,
            received, parts, docked, outstanding)
        SELECT b.id, b.sku, b.qty, 0, 0, 0, CASE WHEN s.open THEN 0 ELSE b.qty END, '[]', '[]',
            CASE WHEN s.open THEN b.qty ELSE 0 END
        FROM grow_bought AS b JOIN grow_supply AS s ON s.id = b.id
        """,
    ),
    "replenishment_slots": (
        """
        INSERT INTO replenishment_slots (vendor, destination, open_id, raised, clock)
        SELECT vendor, 'WH1', max(id) FILTER (WHERE open), count(*), max(closed_clock)
        FROM grow_supply GROUP BY vendor
        """,
    ),
    "places": ("INSERT INTO places VALUES ('WH1', 'source', 100, NULL, true)",),
    "shops": ("INSERT INTO shops (shop) VALUES ('main')",),
}
