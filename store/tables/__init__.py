"""The tables, by what they are about. `store.schema` names them all."""
