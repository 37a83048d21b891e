"""Records in, tables and graphs out: nothing here reads or writes anything."""
