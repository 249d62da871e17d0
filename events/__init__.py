"""The wire: what comes in, what goes out. Depends on nothing of ours, does no I/O, knows no clock.

The catalogue. In, to exchange `backship.in` (models in `inbound`), by who sends it:

    shops             OrderPlaced OrderChanged OrderCancelled OrderHoldCleared BackToShipRequested
    warehouses        OrderShipped LineBackordered
                      StockReceived StockTransferred StockCounted StockReturned
    buyers            ReplenishmentClosed ReplenishmentRequested
    master data       ItemChanged VendorChanged ShopChanged PlaceChanged

Out, from `/backship` to exchange `backship.out` (models in `outbound`), by whom it is for:

    warehouses        ReadyToShip BackToShip ReleaseCancelled
    shops             OrderBackordered OrderRejected ExpectedDateChanged StockStatusChanged
    buyers, vendors   ReplenishmentRaised ReplenishmentExtended ReplenishmentReduced
                      ReplenishmentCancelled
    people            ExceptionRaised

`codec` turns bytes into an `envelope.Event` (or a `codec.Malformed`) and back; `routing` names the
routing keys; `catalogue` writes JSON Schemas, the AsyncAPI document and `docs/events.md`.
"""
