from django.db import models


class User(models.Model):
    email = models.TextField()
    status = models.TextField(null=True)

    class Meta:
        db_table = "users"
