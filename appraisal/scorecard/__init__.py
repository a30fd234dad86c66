"""The scorecard (考核表): frozen inputs, weights and bands by date, scores, grades, 签收."""
