# Databricks notebook source
40 + 2
