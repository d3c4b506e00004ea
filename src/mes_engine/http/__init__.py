"""What every router shares: problems, commands' headers, fields, paging and limits."""
