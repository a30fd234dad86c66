"""The residents' survey (网格员工作满意度测评): households, sample, slips, ballots, results."""
