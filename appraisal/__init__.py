"""The appraisal service: survey, cycle, scorecard, ranking, pools."""
