"""Telling people: public notices, service on the person (送达), objections and appeals."""
