# Databricks notebook source
raise ValueError("inside")
