# Databricks notebook source
x = (
