# Databricks notebook source
deep = True
